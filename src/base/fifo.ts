/** First in, first out. Taking one costs the same however many wait: arrays of many thousands move all to shift one. */
export class Fifo<T> {
  #items: T[] = [];
  /** How many of them are taken already. */
  #taken = 0;

  get length(): number {
    return this.#items.length - this.#taken;
  }

  /** Who is next; undefined when it is empty. */
  get first(): T | undefined {
    return this.#items[this.#taken];
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first, if there is one. */
  take(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#taken++];
    // Each that stays is moved once for each that went.
    if (2 * this.#taken >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }
}
