import type { SeededRandom } from '../base/random.ts';
import type { ShardApi } from '../shard/shardApi.ts';
import { campaignsOf, SEGMENTS } from './definitions.ts';

/** Who runs an account: decides what is not decided yet, and changes decisions in the middle of everything. */
export class Operator {
  readonly #account: string;
  readonly #random: SeededRandom;

  constructor(account: string, random: SeededRandom) {
    this.#account = account;
    this.#random = random;
  }

  /** What is already decided stays. */
  async decide(api: ShardApi): Promise<void> {
    const { segments, campaigns } = api.entry(this.#account).state;
    for (const name of Object.keys(SEGMENTS)) {
      if (!segments.has(name)) await this.#saveSegment(api, name);
    }
    for (const [name, campaign] of Object.entries(campaignsOf(this.#account))) {
      if (!campaigns.has(name)) await this.#call(api, 'campaign.save', campaign);
    }
  }

  /** One change. The answers to questions do not depend on it. */
  async meddle(api: ShardApi): Promise<void> {
    const nudge = { name: 'nudge' };
    if (this.#random.chance(0.4)) return this.#saveSegment(api, this.#random.pick(Object.keys(SEGMENTS)));
    if (!api.entry(this.#account).state.campaigns.has(nudge.name)) return this.decide(api);
    const method = this.#random.pick(['campaign.pause', 'campaign.resume', 'campaign.delete']);
    await this.#call(api, method, nudge);
  }

  /** Nothing is kept waiting any more. */
  async resume(api: ShardApi): Promise<void> {
    await this.decide(api);
    await this.#call(api, 'campaign.resume', { name: 'nudge' });
  }

  async #saveSegment(api: ShardApi, name: string): Promise<void> {
    await this.#call(api, 'segment.save', { name, ...SEGMENTS[name] });
  }

  async #call(api: ShardApi, method: string, params: unknown): Promise<void> {
    const principal = { account: this.#account, role: 'admin' as const };
    await api.call({ principal, method, params, signal: new AbortController().signal });
  }
}
