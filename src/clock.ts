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
  // Not `performance`, of which the first look loads eight modules.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep,
  random: () => Math.random(),
};

/** Ends early, without rejecting, when `signal` aborts. `node:timers/promises` takes 1 ms to load. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end);
  });
}
