import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { collections, paths } from '../../src/documents/paths.js';
import { Snapshots } from '../../src/library/snapshots/snapshots.js';
import { leaseDocument } from '../support/engine-samples.js';
import { aSnapshot } from '../support/library-samples.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';

const DAY_MS = 86_400_000;
const OPTIONS = { purge: false, dryRun: false, force: false };

test('a prune forgets what the cache says of expired pictures, and leases that are long over', async () => {
  let nowMs = Date.parse('2026-02-01T12:00:00Z');
  const documents = new MemoryDocumentStore(() => nowMs);
  const put = (path: string, data: JsonObject) => documents.commit([{ kind: 'put', path, data }]);
  const lease = (state: string, ttlMs: number) => leaseDocument({ state, ttlMs }).data;
  const entry = (retentionDays: number) => {
    const { id, ...snapshot } = aSnapshot({}, retentionDays);
    return { schemaVersion: 1, snapshot: { id, ...snapshot } };
  };
  await put(paths.chartCache('expired'), entry(1));
  await put(paths.chartCache('kept'), entry(60));
  await put(paths.chartCache('foreign'), { what: 'ever' });
  await put(paths.chartLease('done'), lease('DONE', 1_000));
  await put(paths.chartLease('dead'), lease('ACTIVE', 1_000));
  await put(paths.chartLease('live'), lease('ACTIVE', 30 * DAY_MS));
  await put(paths.chartLease('foreign'), { what: 'ever' });
  nowMs += 2 * DAY_MS;
  await put(paths.chartLease('done-today'), lease('DONE', 1_000));

  const snapshots = new Snapshots({ documents, artifacts: new MemoryArtifactStore('local') });
  const idsIn = async (collection: string) =>
    (await documents.list(collection, { limit: 9 })).documents.map(({ id }) => id);
  const left = () => Promise.all([collections.chartCache, collections.chartLeases].map(idsIn));
  const before = await left();
  await snapshots.prune({ ...OPTIONS, dryRun: true }, new AbortController().signal);
  expect(await left()).toEqual(before);
  await snapshots.prune(OPTIONS, new AbortController().signal);
  expect(await left()).toEqual([
    ['foreign', 'kept'],
    ['done-today', 'foreign', 'live'],
  ]);
});
