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
  /** That was later than it was rendered: its worker died, and another one found it. */
  readonly isAdopted: boolean;
}

/** `undefined`: there is none, or it is not one that this worker wrote. */
export function entryIn(reading: Reading, key: string): CacheEntry | undefined {
  const document = reading.get(paths.chartCache(key));
  const snapshot = document?.data.snapshot;
  if (!document || !isJsonObject(snapshot) || typeof snapshot.id !== 'string') return undefined;
  const parsed = parseSnapshot(snapshot.id, snapshot);
  const isAdopted = document.data.adopted === true;
  return parsed && { snapshot: parsed, knownAtMs: document.updateTimeMs, isAdopted };
}

/** Puts it in the place of the one before. */
export function entryWrite(key: string, snapshot: Snapshot, how?: 'adopted'): Write {
  const adopted = how === 'adopted' && { adopted: true };
  const data: JsonObject = { schemaVersion: 1, snapshot: { ...snapshot }, ...adopted };
  return { kind: 'put', path: paths.chartCache(key), data };
}

/** `undefined`: it lies in another bucket. */
export function pictureOf(
  { uri, generatedAt, sha256, width, height }: Snapshot,
  bucketUri: string,
): CachedPicture | undefined {
  if (!uri.startsWith(bucketUri)) return undefined;
  return { objectName: uri.slice(bucketUri.length), generatedAt, sha256, width, height };
}
