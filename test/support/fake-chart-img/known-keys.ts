import { type Answer, refusal } from './answers.js';

export type PlanName = 'BASIC' | 'PRO' | 'MEGA' | 'ULTRA' | 'ENTERPRISE';

interface Plan {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly chartsPerDay: number;
  readonly maxWidth: number;
  readonly maxHeight: number;
  readonly maxParameters: number;
}

/** Copied by hand from the service's documentation, not from our table: a judge has its own. */
export const PLANS: Readonly<Record<PlanName, Plan>> = {
  BASIC: plan(1, 3, 50, 800, 600, 3),
  PRO: plan(10, 15, 500, 1920, 1080, 5),
  MEGA: plan(15, 25, 1_000, 1920, 1600, 10),
  ULTRA: plan(35, 50, 3_000, 2048, 1920, 25),
  ENTERPRISE: plan(35, 50, 5_000, 2048, 1920, 50),
};

function plan(
  requestsPerSecond: number,
  burst: number,
  chartsPerDay: number,
  maxWidth: number,
  maxHeight: number,
  maxParameters: number,
): Plan {
  return { requestsPerSecond, burst, chartsPerDay, maxWidth, maxHeight, maxParameters };
}

export interface KnownKey {
  readonly apiKey: string;
  readonly plan: PlanName;
  /** The plan's, unless said otherwise. */
  readonly requestsPerSecond?: number | 'unlimited';
  readonly burst?: number;
  readonly dailyLimit?: number | 'unlimited';
}

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

  /** At its arrival, before anything is known of it but its key. */
  count(apiKey: string, nowMs: number): void {
    this.#counts[apiKey] ??= {};
    const byDay = this.#counts[apiKey];
    const day = utcDay(nowMs);
    byDay[day] = (byDay[day] ?? 0) + 1;
  }

  /** The key of a request that has been counted, or why it gets nothing. */
  admit(apiKey: string, nowMs: number): KnownKey | Answer {
    const known = this.#known.get(apiKey);
    if (!known) return refusal(403, 'Forbidden');
    const { key, bucket } = known;
    const { dailyLimit = PLANS[key.plan].chartsPerDay } = key;
    const count = this.#counts[apiKey]?.[utcDay(nowMs)] ?? 0;
    if (dailyLimit !== 'unlimited' && count > dailyLimit) return refusal(429, 'Limit Exceeded');
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
