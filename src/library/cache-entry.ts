import type { JsonObject } from '../contracts/documents.js';
import type { Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { CachedPicture } from '../engine/chart-cache.js';

/** `chart_cache/{key}`: the last picture of one request. */
export interface CacheEntry extends CachedPicture {
  readonly bucket: string;
  /** When it became known, by the store's clock; epoch milliseconds. */
  readonly knownAtMs: number;
}

/** `undefined`: there is none, or it is not one that this worker wrote. */
export function entryIn(reading: Reading, key: string): CacheEntry | undefined {
  const document = reading.get(paths.chartCache(key));
  if (!document) return undefined;
  const { objectName, bucket, generatedAt, sha256, width, height } = document.data;
  const isWhole =
    typeof objectName === 'string' &&
    typeof bucket === 'string' &&
    typeof generatedAt === 'string' &&
    !Number.isNaN(Date.parse(generatedAt)) &&
    typeof sha256 === 'string' &&
    Number.isInteger(width) &&
    Number.isInteger(height);
  if (!isWhole) return undefined;
  const entry = document.data as unknown as CacheEntry;
  return { ...entry, knownAtMs: document.updateTimeMs };
}
