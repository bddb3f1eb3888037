import { type BytesByName, sumByName } from '../tablet/memory.ts';

/** What the host's threads hold besides tablets: asked for by a shard, told by all of them, summed up by the hub. */
export class HostMemory {
  readonly #shards: number;
  readonly #own: () => BytesByName;
  readonly #ask: (shard: number, id: number) => void;
  readonly #tell: (shard: number, id: number, memory: BytesByName) => void;
  readonly #rounds = new Map<number, Round>();
  #nextId = 1;

  /** `own`: what the hub's thread holds. */
  constructor(options: {
    readonly shards: number;
    readonly own: () => BytesByName;
    readonly ask: (shard: number, id: number) => void;
    readonly tell: (shard: number, id: number, memory: BytesByName) => void;
  }) {
    this.#shards = options.shards;
    this.#own = options.own;
    this.#ask = options.ask;
    this.#tell = options.tell;
  }

  /** `askerId` is the asking shard's number for it. */
  wanted(asker: number, askerId: number): void {
    const id = this.#nextId++;
    this.#rounds.set(id, { asker, askerId, parts: [this.#own()] });
    for (let shard = 0; shard < this.#shards; shard++) this.#ask(shard, id);
  }

  part(id: number, memory: BytesByName): void {
    const { asker, askerId, parts } = this.#rounds.get(id)!;
    if (parts.push(memory) <= this.#shards) return;
    this.#rounds.delete(id);
    this.#tell(asker, askerId, sumByName(parts));
  }
}

interface Round {
  readonly asker: number;
  readonly askerId: number;
  readonly parts: BytesByName[];
}
