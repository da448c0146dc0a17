import type { Clock } from '../../clock.js';
import { NoAnswer, readFailure, type StorageFailure } from './storage-errors.js';

export type Answer<T> = { readonly kind: 'done'; readonly value: T } | StorageFailure;

export interface TryLimits {
  /** One try, from the first byte sent to the last byte read. */
  readonly tryMs: number;
  /** Between two tries, on average. */
  readonly pauseMs: number;
}

/** Two, since the first may have met a connection that the server was just closing. */
export const TRIES = 2;

/**
 * Calls until an answer is clear, twice at most. `work` is called anew for each try and shares
 * nothing with the one before: that one may still be on its way.
 */
export async function tryBounded<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { tryMs, pauseMs }: TryLimits,
  clock: Clock,
): Promise<Answer<T>> {
  for (let tries = 1; ; tries++) {
    try {
      return { kind: 'done', value: await within(tryMs, work) };
    } catch (error) {
      const failure = readFailure(error);
      if (failure.kind !== 'unclear' || tries === TRIES) return failure;
    }
    await clock.sleep(pauseMs * (0.5 + clock.random()));
  }
}

/**
 * Ends the work by its signal, and races it, because signing in listens to none. An upload that was
 * ended may still be applied, which is why each one carries a precondition.
 */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswer(`no answer within ${ms / 1_000} s`));
      ending.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(ending.signal), bound]);
  } finally {
    clearTimeout(timer);
  }
}
