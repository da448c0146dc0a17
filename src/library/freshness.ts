import type { CacheEntry } from './cache-entry.js';
import type { Snapshot } from './snapshots/snapshot.js';

/** How old a picture may be. */
export interface Freshness {
  /** Milliseconds; 0: none is taken from the cache. */
  readonly ttlMs: number;
  /** What is there already will not do; what somebody renders meanwhile will. */
  readonly refresh: boolean;
}

/** By the store's clock; `sinceMs`: its time when the picture was first asked for. */
export function isFresh(
  { knownAtMs, snapshot, isAdopted }: CacheEntry,
  freshness: Freshness,
  readTimeMs: number,
  sinceMs: number,
): boolean {
  // From then on a prune may delete it at any moment.
  if (readTimeMs >= Date.parse(snapshot.expiresAt)) return false;
  if (isAdopted && !isYoung(snapshot, readTimeMs, freshness)) return false;
  if (readTimeMs - knownAtMs >= freshness.ttlMs) return false;
  return !freshness.refresh || knownAtMs > sinceMs;
}

/** Of a picture that became known late: all there is to go by is its worker's own clock. */
export function isYoung(
  { generatedAt }: Snapshot,
  readTimeMs: number,
  { ttlMs, refresh }: Freshness,
): boolean {
  return !refresh && readTimeMs - Date.parse(generatedAt) < ttlMs;
}
