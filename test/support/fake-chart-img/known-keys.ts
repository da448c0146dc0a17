import { type Answer, refusal } from './answers.js';
import { type KnownKey, PLANS } from './plans.js';

/** Requests by key and UTC day (`2025-12-31`), of unknown keys too. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Counts every request, whatever comes of it, and knows which of them are too many. */
export class KeyDesk {
  readonly #known: ReadonlyMap<string, { readonly key: KnownKey; readonly bucket: Bucket }>;
  readonly #counts: Record<string, Record<string, number>> = {};

  constructor(keys: readonly KnownKey[]) {
    this.#known = new Map(keys.map((key) => [key.apiKey, { key, bucket: new Bucket(key) }]));
  }

  get counts(): Counts {
    return structuredClone(this.#counts);
  }

  /** At its arrival, before anything is known of it but its key: its number within that day. */
  count(apiKey: string, nowMs: number): number {
    this.#counts[apiKey] ??= {};
    const byDay = this.#counts[apiKey];
    const day = utcDay(nowMs);
    const number = (byDay[day] ?? 0) + 1;
    byDay[day] = number;
    return number;
  }

  /** The key of the day's request of this number, or why it gets nothing. */
  admit(apiKey: string, number: number, nowMs: number): KnownKey | Answer {
    const known = this.#known.get(apiKey);
    if (!known) return refusal(403, 'Forbidden');
    const { key, bucket } = known;
    const { dailyLimit = PLANS[key.plan].chartsPerDay } = key;
    if (dailyLimit !== 'unlimited' && number > dailyLimit) return refusal(429, 'Limit Exceeded');
    return bucket.take(nowMs) ? key : refusal(429, 'Too Many Requests');
  }
}

export function utcDay(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/** Full at first; a request that is refused takes nothing from it. */
class Bucket {
  readonly #perMs: number;
  readonly #size: number;
  #tokens: number;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor({ plan, requestsPerSecond, burst }: KnownKey) {
    const rate = requestsPerSecond ?? PLANS[plan].requestsPerSecond;
    this.#perMs = rate === 'unlimited' ? Number.POSITIVE_INFINITY : rate / 1_000;
    this.#size = burst ?? PLANS[plan].burst;
    this.#tokens = this.#size;
  }

  take(nowMs: number): boolean {
    if (this.#perMs === Number.POSITIVE_INFINITY) return true;
    // A clock that is set back refills nothing.
    const elapsedMs = Math.max(0, nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
    this.#tokens = Math.min(this.#size, this.#tokens + elapsedMs * this.#perMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
