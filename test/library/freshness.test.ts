import { expect, test } from 'vitest';
import { isFresh } from '../../src/library/freshness.js';
import { aSnapshot } from '../support/library-samples.js';

test('a picture is taken from the cache until it expires, whatever its age may be', () => {
  const snapshot = aSnapshot({}, 1);
  const knownAtMs = Date.parse(snapshot.generatedAt);
  const expiresAtMs = Date.parse(snapshot.expiresAt);
  const forever = { ttlMs: Number.POSITIVE_INFINITY, refresh: false };
  const freshAt = (timeMs: number) =>
    isFresh({ snapshot, knownAtMs, isAdopted: false }, forever, timeMs, timeMs);
  expect([freshAt(expiresAtMs - 1), freshAt(expiresAtMs)]).toEqual([true, false]);
});
