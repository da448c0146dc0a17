import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { paths } from '../../src/documents/paths.js';
import { type StoredChart, storeCopy } from '../../src/engine/stored-chart.js';
import { ConfigError, StoreUnavailable } from '../../src/failures.js';
import { chartKey } from '../../src/library/chart-key.js';
import type { KeyDeps } from '../../src/library/key-lease.js';
import { StepCache } from '../../src/library/step-cache.js';
import { Logger } from '../../src/log/logger.js';
import { leaseDocument, RUN_ID, renderable } from '../support/engine-samples.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';

const NEVER = new AbortController().signal;
const OWNER = { host: 'host-1', pid: 42, started: '7' };
const ORIGINS = { 'chart-img': 'https://a', fixture: 'fixtures' };
const INPUTS = {
  ...{ symbol: 'BTCUSDT', timeframe: '1h', interval: '1h', minImages: 1 },
  chartTemplateIds: ['ctpl_a'],
};
const STEP = { runId: RUN_ID, stepId: 'charts', inputs: INPUTS };
const CHART = renderable('ctpl_a');
const KEY = chartKey(CHART, ORIGINS);

const STORED: StoredChart = {
  name: 'charts/a.png',
  item: {
    ...{ chartTemplateId: 'ctpl_a', kind: 'price', generatedAt: new Date().toISOString() },
    png_gcs_uri: 'gs://b/charts/a.png',
    meta: {
      ...{ source: 'chart-img', chartImgSymbol: 'BINANCE:BTCUSDT', interval: '1h' },
      ...{ width: 800, height: 600, bytes: 100, sha256: '0'.repeat(64) },
    },
  },
};

function cacheOn(documents: DocumentStore, leaseTtlMs = 90_000) {
  const deps: KeyDeps = {
    ...{ documents, clock: systemClock, owner: OWNER, ownerIsGone: () => false, leaseTtlMs },
  };
  const settings = { origins: ORIGINS, bucket: 'b', retentionMs: 60_000 };
  const warnings: string[] = [];
  const logger = new Logger(({ message }) => warnings.push(message));
  const freshness = { ttlMs: 60_000, refresh: false };
  return { cache: new StepCache(deps, { ...settings, ...freshness }, logger), warnings };
}

const ASKED = { step: STEP, gone: undefined, signal: NEVER };

/** Works, until it is broken. */
function breakable(documents: DocumentStore) {
  let broken: Error | undefined;
  const work = <T>(method: () => Promise<T>) => (broken ? Promise.reject(broken) : method());
  const store: DocumentStore = {
    read: (wanted) => work(() => documents.read(wanted)),
    commit: (writes) => work(() => documents.commit(writes)),
    list: (collection, page) => work(() => documents.list(collection, page)),
  };
  return { store, breakWith: (error: Error) => (broken = error) };
}

describe('no chart of a step fails for its cache', () => {
  const FAULTS = [new ConfigError('not permitted'), new StoreUnavailable('no answer')];

  test.for(FAULTS)('that cannot be asked: %s', async (fault) => {
    const { store, breakWith } = breakable(new MemoryDocumentStore(Date.now));
    breakWith(fault);
    const { cache, warnings } = cacheOn(store);
    expect(await cache.recall([CHART])).toEqual(new Map());
    expect(await cache.once(CHART, ASKED, async () => STORED)).toBe(STORED);
    expect(warnings).toHaveLength(2);
  });

  test.for(FAULTS)('that breaks while it is rendered: %s', async (fault) => {
    const { store, breakWith } = breakable(new MemoryDocumentStore(Date.now));
    const { cache, warnings } = cacheOn(store, 60);
    const render = async () => {
      breakWith(fault);
      // Longer than two of the lease's beats.
      await systemClock.sleep(60);
      return STORED;
    };
    expect(await cache.once(CHART, ASKED, render)).toBe(STORED);
    expect(warnings).toContain(`not kept in the cache: ${fault.message}`);
  });

  test('that another worker does not let go of: it is waited for no longer than it could be dead', async () => {
    const documents = new MemoryDocumentStore(Date.now);
    const { data } = leaseDocument({ ttlMs: 60_000 });
    await documents.commit([{ kind: 'put', path: paths.chartLease(KEY), data }]);
    const { cache, warnings } = cacheOn(documents, 100);
    expect(await cache.once(CHART, ASKED, async () => STORED)).toBe(STORED);
    expect(warnings).toEqual(['rendered without the cache: another worker is still at it']);
  });
});

test('what is known to others is in the history already: its worker may die before it settles', async () => {
  const documents = new MemoryDocumentStore(Date.now);
  const { cache } = cacheOn(documents);
  await cache.once(CHART, ASKED, async () => STORED);
  const { documents: known } = await documents.list('chart_snapshots', { limit: 2 });
  const entry = (await documents.read([paths.chartCache(KEY)])).get(paths.chartCache(KEY));
  expect(known).toMatchObject([
    { data: { uri: STORED.item.png_gcs_uri, stepId: 'charts', triggerType: 'step' } },
  ]);
  expect(entry?.data).toMatchObject({ snapshot: { id: known[0]?.id } });
});

test('a dead holder on demand may have stored a picture: a step leaves the key to whoever looks for it', async () => {
  const documents = new MemoryDocumentStore(Date.now);
  const path = paths.chartLease(KEY);
  const { data } = leaseDocument({ state: 'RELEASED', folder: 'library/DAX/4h/20260201/' });
  await documents.commit([{ kind: 'put', path, data }]);
  const { cache } = cacheOn(documents);
  await cache.once(CHART, ASKED, async () => STORED);
  const left = (await documents.read([path])).get(path);
  expect(left?.data).toMatchObject({ state: 'RELEASED', claimId: 'claim', folder: data.folder });
});

test('a copy that an earlier claim left unrecorded is recorded by the next; the original is not', async () => {
  const artifacts = new MemoryArtifactStore('b');
  const put = { contentType: 'image/png', metadata: {}, when: 'absent' } as const;
  const body = Buffer.from('a picture');
  await artifacts.put({ ...put, name: 'library/a.png', body });
  const picture = {
    ...{ objectName: 'library/a.png', generatedAt: '2026-02-01T12:00:15.000Z' },
    ...{ sha256: createHash('sha256').update(body).digest('hex'), width: 800, height: 600 },
  };
  const copyOf = (claimId: string, objectName: string) =>
    storeCopy(artifacts, { ...STEP, claimId }, CHART, { ...picture, objectName });
  const killed = await copyOf('claim-1', picture.objectName);
  const next = await copyOf('claim-2', picture.objectName);
  const { cache } = cacheOn(new MemoryDocumentStore(Date.now));
  expect(next?.name).toBe(killed?.name);
  expect(cache.recordsOf(STEP, next ? [next] : [])).toHaveLength(1);
  const itself = await copyOf('claim-3', next?.name ?? '');
  expect(cache.recordsOf(STEP, itself ? [itself] : [])).toHaveLength(0);
});
