import { setTimeout as sleep } from 'node:timers/promises';

/** Time and chance, given from outside so that tests can hold them. */
export interface Clock {
  /** Wall clock; epoch milliseconds. */
  now(): number;
  /** Never goes back, may stand still while a laptop sleeps; milliseconds. */
  monotonic(): number;
  /** Ends early, without rejecting, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** At least 0 and below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  random: () => Math.random(),
};
