import { type Campaign, type CampaignValue, parseCampaign } from './campaign.ts';
import type { HeldIntent } from './intentTable.ts';

/** A tablet's view of one campaign, with what has come of it here. */
export class CampaignEntry {
  readonly name: string;
  /** Both undefined once the campaign is removed. */
  value: CampaignValue | undefined;
  campaign: Campaign | undefined;
  readonly counts = { intended: 0, sent: 0, failed: 0, skipped: 0, cancelled: 0 };
  /** Due, and waiting for the campaign to be resumed. */
  readonly parked: HeldIntent[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isPaused(): boolean {
    return this.value?.status === 'paused';
  }
}

/** A tablet's campaigns by name, and by what triggers them. */
export class CampaignTable {
  readonly #entries = new Map<string, CampaignEntry>();
  /** By event name. */
  #triggered = new Map<string, CampaignEntry[]>();
  #cancelling = new Set<string>();

  /** `value` null removes: the entry then lives on only with the messages that belong to it. */
  set(name: string, value: CampaignValue | null): CampaignEntry {
    const entry = this.#entries.get(name) ?? new CampaignEntry(name);
    entry.value = value ?? undefined;
    entry.campaign = value === null ? undefined : parseCampaign(value.definition);
    if (value === null) this.#entries.delete(name);
    else this.#entries.set(name, entry);
    this.#indexTriggers();
    return entry;
  }

  /** Takes over, while empty, the campaigns of a tablet that splits; `isHeir`, with what is over of their messages. */
  inherit(parent: CampaignTable, isHeir: boolean): void {
    for (const { name, value, campaign, counts } of parent.values()) {
      const entry = new CampaignEntry(name);
      entry.value = value;
      entry.campaign = campaign;
      this.#entries.set(name, entry);
      if (!isHeir) continue;
      const { sent, failed, skipped, cancelled } = counts;
      const intended = sent + failed + skipped + cancelled;
      Object.assign(entry.counts, { intended, sent, failed, skipped, cancelled });
    }
    this.#indexTriggers();
  }

  get(name: string): CampaignEntry | undefined {
    return this.#entries.get(name);
  }

  values(): Iterable<CampaignEntry> {
    return this.#entries.values();
  }

  /** Campaigns that an event of this name may trigger. */
  triggeredBy(event: string): readonly CampaignEntry[] {
    return this.#triggered.get(event) ?? [];
  }

  /** Whether an event of this name may take back what is delayed. */
  mayCancel(event: string): boolean {
    return this.#cancelling.has(event);
  }

  #indexTriggers(): void {
    this.#triggered = new Map();
    this.#cancelling = new Set();
    for (const entry of this.#entries.values()) {
      const { trigger } = entry.campaign!;
      if (trigger.kind !== 'event') continue;
      for (const event of trigger.filter.events) {
        this.#triggered.set(event, [...this.triggeredBy(event), entry]);
      }
      for (const event of trigger.unless?.events ?? []) this.#cancelling.add(event);
    }
  }
}
