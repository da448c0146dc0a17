import type { Clock } from '../clock.js';

/**
 * Time since a moment, in ms: the larger of both clocks, since the monotonic one stands still
 * while a laptop sleeps and the wall clock may be set back.
 */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #wall: number;
  readonly #monotonic: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = clock.now();
    this.#monotonic = clock.monotonic();
  }

  elapsedMs(): number {
    return Math.max(this.#clock.now() - this.#wall, this.#clock.monotonic() - this.#monotonic);
  }
}

/** The store's time, carried on from its last reading: days are counted by no worker's clock. */
export class ServerClock {
  #readTimeMs: number;
  #since: Stopwatch;

  /** `since` was started before the reading was asked for. */
  constructor(readTimeMs: number, since: Stopwatch) {
    this.#readTimeMs = readTimeMs;
    this.#since = since;
  }

  /** A newer reading: it ends what a wall clock that was set in between made of the older one. */
  observe(readTimeMs: number, since: Stopwatch): void {
    this.#readTimeMs = readTimeMs;
    this.#since = since;
  }

  nowMs(): number {
    return this.#readTimeMs + this.#since.elapsedMs();
  }
}

/** Waits longer on average the more often it was lost, with full jitter: nobody marches in step. */
export async function backOff(clock: Clock, round: number, signal?: AbortSignal): Promise<void> {
  const cap = Math.min(2_000, 50 * 2 ** round);
  await clock.sleep(clock.random() * cap, signal);
}
