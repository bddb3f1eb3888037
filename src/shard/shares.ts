/** A piece of work. */
export interface Task {
  /** Time it has had, by the weight of its group among others; set by the group it is in. */
  usedMs: number;
  /** Does a small step; true when there is nothing left to do. */
  step(): boolean;
}

/**
 * Pieces of work, or groups of them, that share time alike: the next step is always of the member that had the least so
 * far, of those that had the same of the one that has waited longest. A new member begins where the others are, so that
 * it neither waits for them nor they for it (as in Linux's completely fair scheduler).
 */
export class Group {
  /** As a member of another group. */
  usedMs = 0;
  /** The longest since their last turn come first. */
  readonly #members: (Task | Group)[] = [];
  readonly #weight: number;
  /** Time that every member has had. */
  #floorMs = 0;
  #picked = 0;

  /** `weight`: how much more time than a group of weight 1 it gets among others. */
  constructor(weight = 1) {
    this.#weight = weight;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  add(member: Task | Group): void {
    member.usedMs = Math.max(member.usedMs, this.#floorMs);
    this.#members.push(member);
  }

  /** The task whose turn it is. Once its step is done, `charge` must be called. */
  pick(): Task {
    const members = this.#members;
    this.#picked = 0;
    for (let i = 1; i < members.length; i++)
      if (members[i]!.usedMs < members[this.#picked]!.usedMs) this.#picked = i;
    const member = members[this.#picked]!;
    this.#floorMs = member.usedMs;
    return member instanceof Group ? member.pick() : member;
  }

  /** The task that was picked took so long. `isDone`: it leaves its group, and groups that are empty then leave theirs. */
  charge(tookMs: number, isDone: boolean): void {
    const [member] = this.#members.splice(this.#picked, 1);
    let leaves = isDone;
    if (member instanceof Group) {
      member.charge(tookMs, isDone);
      member.usedMs += tookMs / member.#weight;
      leaves = member.isEmpty;
    } else member!.usedMs += tookMs;
    if (!leaves) this.#members.push(member!);
  }
}
