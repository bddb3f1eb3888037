import type { Column } from '../../encoding/column.ts';

/** Users decoded together where most are asked for. */
export const GROUP_USERS = 1 << 15;

/** The ordinals of a block's users, ascending. Users are numbered from 0. */
export interface Ordinals {
  readonly count: number;
  /** Bytes held beside the block's own. */
  readonly memoryBytes: number;
  at(user: number): number;
  /** The user with this ordinal, or -1. */
  find(ordinal: number): number;
  /** target[i] = ordinal of user from + i, for users [from, to). */
  decode(from: number, to: number, target: Uint32Array): void;
  /** target[i] = ordinal of users[i]. Users ascend and may come again; at most GATHERED_ROWS. */
  gather(users: Uint32Array, target: Uint32Array): void;
}

/** Ordinals as they are. */
export class ListedOrdinals implements Ordinals {
  readonly #list: Column;

  constructor(list: Column) {
    this.#list = list;
  }

  get count(): number {
    return this.#list.rowCount;
  }

  get memoryBytes(): number {
    return this.#list.memoryBytes;
  }

  at(user: number): number {
    return this.#list.at(user);
  }

  find(ordinal: number): number {
    const user = this.#list.firstFrom(ordinal);
    return user < this.count && this.#list.at(user) === ordinal ? user : -1;
  }

  decode(from: number, to: number, target: Uint32Array): void {
    this.#list.decode(from, to, target);
  }

  gather(users: Uint32Array, target: Uint32Array): void {
    this.#list.gather(users, target);
  }
}
