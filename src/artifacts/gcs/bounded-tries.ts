import type { Clock } from '../../clock.js';
import { within } from '../../google/within.js';
import { readFailure, type StorageFailure } from './storage-errors.js';

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
