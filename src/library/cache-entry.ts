import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import type { Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { CachedPicture } from '../engine/chart-cache.js';
import { parseSnapshot, type Snapshot } from './snapshots/snapshot.js';

/** `chart_cache/{key}`: the last picture of one request, as it was recorded. */
export interface CacheEntry {
  readonly snapshot: Snapshot;
  /** When it became known, by the store's clock; epoch milliseconds. */
  readonly knownAtMs: number;
}

/** `undefined`: there is none, or it is not one that this worker wrote. */
export function entryIn(reading: Reading, key: string): CacheEntry | undefined {
  const document = reading.get(paths.chartCache(key));
  const snapshot = document?.data.snapshot;
  if (!document || !isJsonObject(snapshot) || typeof snapshot.id !== 'string') return undefined;
  const parsed = parseSnapshot(snapshot.id, snapshot);
  return parsed && { snapshot: parsed, knownAtMs: document.updateTimeMs };
}

/** Puts it in the place of the one before. */
export function entryWrite(key: string, snapshot: Snapshot): Write {
  const data: JsonObject = { schemaVersion: 1, snapshot: { ...snapshot } };
  return { kind: 'put', path: paths.chartCache(key), data };
}

/**
 * Younger than `ttlMs` by the store's clock, and by what its worker's clock said when it was
 * rendered: who adopts a dead worker's picture makes it known late.
 */
export function isYoung(
  { snapshot, knownAtMs }: CacheEntry,
  readTimeMs: number,
  ttlMs: number,
): boolean {
  const renderedAtMs = Math.min(knownAtMs, Date.parse(snapshot.generatedAt));
  return readTimeMs - renderedAtMs < ttlMs;
}

/** `undefined`: it lies in another bucket. */
export function pictureOf(
  { uri, generatedAt, sha256, width, height }: Snapshot,
  bucketUri: string,
): CachedPicture | undefined {
  if (!uri.startsWith(bucketUri)) return undefined;
  return { objectName: uri.slice(bucketUri.length), generatedAt, sha256, width, height };
}
