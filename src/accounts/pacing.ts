import type { Account } from '../contracts/documents.js';
import type { WaitOf } from './dealing.js';
import { paceOf } from './plans.js';

/** Refilled a hair slower than the plan says: the provider’s clock is not ours, and ticks as exactly. */
const SLOWER = 1.002;
/**
 * Between our send and the provider's count lies the way there, longest for the first requests:
 * they open connections, and are the first of their kind in a process that has just begun.
 */
const WAY_MS = 300;
/** After "Too Many Requests" an account goes at half its pace, at most so often halved again … */
const MOST_HALVINGS = 3;
/** … until it was not refused for so long. */
const SLOW_MS = 30_000;

/** One account's token bucket; times are monotonic milliseconds. */
class Pace {
  readonly #intervalMs: number;
  readonly #burst: number;
  /** Tokens there were at `#countedAtMs`, from when on the bucket refills. */
  #tokens: number;
  #countedAtMs = 0;
  #notBeforeMs = 0;
  #halvings = 0;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(account: Account) {
    const { requestsPerSecond, burst } = paceOf(account);
    this.#intervalMs = (1_000 / requestsPerSecond) * SLOWER;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** When the next request may leave: now, or later. */
  earliestMs(nowMs: number): number {
    const missing = Math.max(0, 1 - this.#tokens);
    const refilledAtMs =
      missing === 0 ? nowMs : this.#countedAtMs + missing * this.#intervalAt(nowMs);
    return Math.max(nowMs, refilledAtMs, this.#notBeforeMs);
  }

  sent(nowMs: number): void {
    const tokens = this.#tokensAt(nowMs);
    this.#tokens = tokens - 1;
    // A full bucket begins to refill when the first of its requests has got there. What was waited
    // for to the millisecond adds up to a hair less than full.
    const isFull = tokens > this.#burst - 1e-6;
    this.#countedAtMs = isFull ? nowMs + WAY_MS : Math.max(this.#countedAtMs, nowMs);
  }

  /** The bucket was emptier than we thought: it is empty now, and refills at half the pace. */
  refused(nowMs: number, retryAfterMs: number): void {
    if (nowMs - this.#refusedAtMs >= SLOW_MS) this.#halvings = 0;
    this.#halvings = Math.min(MOST_HALVINGS, this.#halvings + 1);
    this.#refusedAtMs = nowMs;
    this.#tokens = 0;
    this.#countedAtMs = nowMs;
    this.#notBeforeMs = nowMs + retryAfterMs;
  }

  #tokensAt(nowMs: number): number {
    const sinceMs = Math.max(0, nowMs - this.#countedAtMs);
    return Math.min(this.#burst, this.#tokens + sinceMs / this.#intervalAt(nowMs));
  }

  #intervalAt(nowMs: number): number {
    const isSlow = nowMs - this.#refusedAtMs < SLOW_MS;
    return this.#intervalMs * (isSlow ? 2 ** this.#halvings : 1);
  }
}

/** Among accounts that have not sent anything yet. */
export const fromRest: WaitOf = (account, before) => {
  const { requestsPerSecond, burst } = paceOf(account);
  return (Math.max(0, before + 1 - burst) / requestsPerSecond) * 1_000;
};

/** Fixtures wait for nobody. */
export const unpaced: WaitOf = () => 0;

/** The pace of every account, in this process; times are monotonic milliseconds. */
export class Pacing {
  readonly #paces = new Map<string, Pace>();

  /** When this account may send next. */
  earliestMs(account: Account, nowMs: number): number {
    return this.#of(account).earliestMs(nowMs);
  }

  sent(account: Account, nowMs: number): void {
    this.#of(account).sent(nowMs);
  }

  /** The provider said "Too Many Requests", and perhaps when to come again. */
  refused(account: Account, nowMs: number, retryAfterMs = 0): void {
    this.#of(account).refused(nowMs, retryAfterMs);
  }

  #of(account: Account): Pace {
    let pace = this.#paces.get(account.id);
    if (!pace) {
      pace = new Pace(account);
      this.#paces.set(account.id, pace);
    }
    return pace;
  }
}
