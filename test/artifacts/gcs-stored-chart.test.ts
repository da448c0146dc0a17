import { afterEach, beforeEach, expect, test } from 'vitest';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import type { RenderableChart } from '../../src/engine/plan.js';
import { findStoredCharts, storeChart } from '../../src/engine/stored-chart.js';
import { type FakeStorage, startFakeStorage } from '../support/fake-storage/fake-storage.js';

const BUCKET = 'charts-bucket';
const chart = {
  kind: 'render',
  chartTemplateId: 'ctpl_x',
  template: { description: 'a chart' },
  request: { requestHash: 'h-1', chartImgSymbol: 'BINANCE:BTCUSDT', interval: '1h' },
  foresight: { source: 'chart-img' },
} as unknown as RenderableChart;
const inputs = { symbol: 'BTCUSDT', timeframe: '1h', minImages: 1 };
const png = Buffer.from('not looked into here');
const size = { width: 800, height: 600 };
const newChart = { chart, png, size, generatedAt: new Date('2025-12-21T12:00:00.500Z') };

let fake: FakeStorage;
beforeEach(async () => {
  fake = await startFakeStorage({ buckets: [BUCKET] });
});
afterEach(async () => {
  await fake.close();
  expect(fake.violations).toEqual([]);
});

function openStep(claimId: string) {
  const folder = { runId: 'r', stepId: 'charts:1H:x', claimId, inputs } as never;
  const limits = { pauseMs: 1 };
  return { folder, store: new GcsArtifactStore({ bucket: BUCKET, emulator: fake.url, limits }) };
}

test('a PNG whose reply was lost is ours: same name, stored once, found again', async () => {
  const { folder, store } = openStep('c-1');
  fake.faults.add({ kind: 'put', fault: { act: 'close', when: 'after' } });
  const stored = await storeChart(store, folder, newChart);
  expect(stored?.name).toContain('/20251221-120000_BTCUSDT_1h_ctpl_x.png');
  expect(fake.objects(BUCKET).map(({ name }) => name)).toEqual([stored?.name]);
  expect(fake.requests.map(({ kind }) => kind)).toEqual(['put', 'put', 'look']);
  expect(await findStoredCharts(store, folder, [chart])).toEqual(new Map([['ctpl_x', stored]]));
});

test('a PNG of somebody else in the same second moves ours by one', async () => {
  const theirs = openStep('c-1');
  await storeChart(theirs.store, theirs.folder, newChart);
  const ours = openStep('c-2');
  const stored = await storeChart(ours.store, ours.folder, newChart);
  expect(stored?.name).toContain('/20251221-120001_');
  expect(fake.objects(BUCKET)).toHaveLength(2);
});
