import { type CacheEntry, isYoung } from './cache-entry.js';

/** How old a picture may be. */
export interface Freshness {
  /** Milliseconds; 0: none is taken from the cache. */
  readonly ttlMs: number;
  /** What is there already will not do; what somebody renders meanwhile will. */
  readonly refresh: boolean;
}

/** `sinceMs`: the store's time when the picture was first asked for. */
export function isFresh(
  entry: CacheEntry,
  { ttlMs, refresh }: Freshness,
  readTimeMs: number,
  sinceMs: number,
): boolean {
  if (!isYoung(entry, readTimeMs, ttlMs)) return false;
  return !refresh || entry.knownAtMs > sinceMs;
}
