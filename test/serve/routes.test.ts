import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';
import { CliWorkspace } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { aSnapshot } from '../support/library-samples.js';
import { LIBRARY_ACCOUNT, LIBRARY_SCENES } from '../support/live-library-scene.js';
import { gcpScene, type LookScene, localScene } from '../support/look-scene.js';
import { type Call, Served, TOKEN } from '../support/served.js';

const TEMPLATE = 'ctpl_price_ma1226_vol_v1';
const ORDER = { symbols: ['BTCUSDT'], timeframes: ['4h'], chartTemplateId: TEMPLATE };
const ENV = { CHARTS_API_TOKEN: TOKEN };
const NOBODY = '8230052784999_DAX_4h_ctpl_a_b766cd89';

type Cleanup = (undo: () => Promise<void>) => void;

/** A server on an empty workspace, with fixtures, and the client made of its document. */
async function onFixtures(onTestFinished: Cleanup) {
  const cwd = await emptyFolder(onTestFinished);
  const served = await Served.start(onTestFinished, { cwd, env: ENV });
  return { cwd, served, call: await served.client() };
}

/** A problem of this code, as the answer to whoever asks for it. */
function aProblem(status: number, code: string, more: object = {}) {
  return {
    status,
    headers: expect.objectContaining({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
    }),
    data: expect.objectContaining({ status, code, detail: expect.any(String), ...more }),
  };
}

async function generated(call: Call, order: object = ORDER) {
  const { status, data } = await call('generateCharts', {}, order);
  expect(status).toBe(200);
  return data.charts[0].snapshot;
}

describe('on a workspace, with fixtures', () => {
  test('generate: a chart, the cache, some of several, and none', async ({ onTestFinished }) => {
    const { call } = await onFixtures(onTestFinished);
    const first = await call('generateCharts', {}, { ...ORDER, generatedBy: 'a dashboard' });
    expect(first).toMatchObject({ status: 200, data: { chartsCount: 1, failuresCount: 0 } });
    const [chart] = first.data.charts;
    expect(chart).toMatchObject({
      ...{ status: 'stored', symbol: 'BTCUSDT', timeframe: '4h', source: 'fixture', notices: [] },
      snapshot: { chartTemplateId: TEMPLATE, triggerType: 'manual', generatedBy: 'a dashboard' },
    });
    expect(chart.image).toBe(`/api/charts/snapshots/${chart.snapshot.id}/image`);
    const again = await call('generateCharts', {}, ORDER);
    expect(again.data.charts).toEqual([{ ...chart, source: 'cache' }]);

    const some = await call('generateCharts', {}, { ...ORDER, symbols: ['BTCUSDT', 'no such'] });
    expect(some).toMatchObject({
      status: 200,
      data: {
        chartsCount: 1,
        failuresCount: 1,
        charts: [{ status: 'stored' }, { status: 'refused', error: { code: 'SYMBOL_NOT_FOUND' } }],
      },
    });
    const wrong = (order: object) => call('generateCharts', {}, { ...ORDER, ...order });
    expect(await wrong({ symbols: ['no such'] })).toMatchObject(
      aProblem(404, 'SYMBOL_NOT_FOUND', {
        charts: [expect.objectContaining({ status: 'refused' })],
      }),
    );
    expect(await wrong({ timeframes: ['90m'] })).toMatchObject(aProblem(422, 'TIMEFRAME_INVALID'));
    expect(await wrong({ timeframes: ['3M'] })).toMatchObject(
      aProblem(404, 'CHART_API_MOCK_MISSING'),
    );
    expect(await wrong({ width: '800', symbols: [] })).toMatchObject(
      aProblem(422, 'VALIDATION_FAILED', {
        errors: ['symbols: must NOT have fewer than 1 items', 'width: must be integer'],
      }),
    );
    const timeframes = ['1m', '2m', '3m', '5m', '1h'];
    const symbols = Array.from({ length: 50 }, (_, index) => `S${index}`);
    expect(await wrong({ symbols, timeframes })).toMatchObject(aProblem(422, 'VALIDATION_FAILED'));
  });

  test('snapshots: page by page, one, its picture, and its end', async ({ onTestFinished }) => {
    const { cwd, served, call } = await onFixtures(onTestFinished);
    const old = await generated(call);
    const { id, uri } = await generated(call, { ...ORDER, timeframes: ['1h'] });
    const page = await call('listSnapshots', { limit: 1 });
    expect(page).toMatchObject({ status: 200, data: { snapshots: [{ id }], next: id } });
    expect((await call('listSnapshots', { limit: 1, cursor: id })).data).toMatchObject({
      snapshots: [{ id: old.id }],
      next: null,
    });
    const { data: none } = await call('listSnapshots', { symbol: 'DAX', timeframe: '4h' });
    expect(none).toEqual({ snapshots: [], next: null });
    const { data: one } = await call('listSnapshots', { symbol: 'BTCUSDT', timeframe: '4H' });
    expect(one.snapshots).toEqual([old]);
    for (const [query, code] of [
      [{ limit: 0 }, 'VALIDATION_FAILED'],
      [{ limit: 'all' }, 'VALIDATION_FAILED'],
      [{ cursor: '../x' }, 'VALIDATION_FAILED'],
      [{ page: 2 }, 'VALIDATION_FAILED'],
      [{ timeframe: '90m' }, 'TIMEFRAME_INVALID'],
    ] as const) {
      expect(await call('listSnapshots', query)).toMatchObject(aProblem(422, code));
    }
    expect(await call('listSnapshots', { symbol: 'a b' })).toMatchObject(
      aProblem(404, 'SYMBOL_NOT_FOUND'),
    );

    expect((await call('getSnapshot', { id })).data).toEqual(page.data.snapshots[0]);
    const picture = await call('getSnapshotImage', { id });
    const stored = await new CliWorkspace(cwd).object(uri);
    expect(stored.equals(picture.data)).toBe(true);
    expect(picture.headers).toMatchObject({
      'content-type': 'image/png',
      etag: `"${createHash('sha256').update(stored).digest('hex')}"`,
    });
    const { etag } = picture.headers;
    const headers = { authorization: `Bearer ${TOKEN}`, 'if-none-match': String(etag) };
    const known = await served.get(`/api/charts/snapshots/${id}/image`, headers);
    expect([known.status, await known.text()]).toEqual([304, '']);
    expect((await call('deleteSnapshot', { id })).status).toBe(204);
    for (const operation of ['getSnapshot', 'getSnapshotImage', 'deleteSnapshot']) {
      for (const absent of [id, NOBODY, '../../../etc/passwd', '__proto__', 'x'.repeat(300)]) {
        const answer = await call(operation, { id: absent });
        expect(answer.status).toBe(404);
        const problem = JSON.parse(
          Buffer.isBuffer(answer.data) ? String(answer.data) : JSON.stringify(answer.data),
        );
        expect(problem).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
      }
    }
    expect((await call('listSnapshots')).data.snapshots).toEqual([old]);
  });

  test('config: the starter set, a symbol’s own, and what is none', async ({ onTestFinished }) => {
    const { call } = await onFixtures(onTestFinished);
    const starter = await call('getSymbolConfig', { symbol: '^GDAXI' });
    expect(starter).toMatchObject({
      status: 200,
      data: { symbol: 'DAX', origin: 'starter', config: { tradingViewSymbol: 'XETR:DAX' } },
    });
    const config = { ...starter.data.config, enabled: false };
    const put = await call('putSymbolConfig', { symbol: 'DAX' }, config);
    expect(put).toMatchObject({ status: 200, data: { symbol: 'DAX', origin: 'stored', config } });
    expect((await call('getSymbolConfig', { symbol: 'DAX' })).data).toEqual(put.data);
    expect(await call('generateCharts', {}, { ...ORDER, symbols: ['DAX'] })).toMatchObject(
      aProblem(409, 'SYMBOL_DISABLED'),
    );
    expect(await call('getSymbolConfig', { symbol: 'no such' })).toMatchObject(
      aProblem(404, 'SYMBOL_NOT_FOUND'),
    );
    const wrong = (symbol: string, more: object) =>
      call('putSymbolConfig', { symbol }, { ...config, ...more });
    for (const answer of [
      await wrong('../x', {}),
      await wrong('DAX', { assetClass: 'bond' }),
      await wrong('DAX', { timeframes: ['90m'] }),
      await wrong('DAX', { apiKey: 'x' }),
    ]) {
      expect(answer).toMatchObject(aProblem(422, 'VALIDATION_FAILED'));
    }
    expect((await call('getSymbolConfig', { symbol: 'DAX' })).data).toEqual(put.data);
  });

  test('usage, health, and what is no request', async ({ onTestFinished }) => {
    const { served, call } = await onFixtures(onTestFinished);
    await generated(call);
    expect(await call('getUsage')).toMatchObject({
      status: 200,
      data: { accounts: [], demand: { today: { symbols: [{ name: 'BTCUSDT', charts: 1 }] } } },
    });
    expect((await call('getHealth')).data).toEqual({ status: 'ok' });
    expect((await call('getReadiness')).data).toEqual({ status: 'ready' });
    const send = async (path: string, init: RequestInit) => {
      const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers };
      const answer = await fetch(`${served.url}${path}`, { ...init, headers });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    const json = { 'content-type': 'application/json' };
    const post = { method: 'POST', headers: json };
    const path = '/api/charts/generate';
    expect(await send(path, { ...post, body: '{' })).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await send(path, { ...post, body: '{"__proto__": 1}' })).toEqual([
      400,
      'MALFORMED_REQUEST',
    ]);
    expect(await send(path, { method: 'POST', body: 'x' })).toEqual([
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ]);
    expect(await send(path, { ...post, body: `"${'x'.repeat(70_000)}"` })).toEqual([
      413,
      'BODY_TOO_LARGE',
    ]);
    expect(await send(path, { method: 'DELETE' })).toEqual([404, 'NOT_FOUND']);
    expect(await send('/api/%E0%A4%A/x', {})).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await send('/admin', {})).toEqual([404, 'NOT_FOUND']);
  });
});

const PLACES = [
  { name: 'local', open: localScene, skip: false },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
];

for (const { name, open, skip } of PLACES) {
  test.skipIf(skip)(
    `cleanup on ${name}: deletes what expired, and keeps what is named`,
    async ({ onTestFinished }) => {
      const scene: LookScene = await open(onTestFinished);
      const keep = async (symbol: string, folder: string) => {
        const object = `${folder}/${symbol}.png`;
        const snapshot = aSnapshot({ symbol, uri: `gs://${scene.bucket}/${object}` });
        const { id, ...data } = snapshot;
        const expired = { ...data, expiresAt: '2026-03-01T00:00:00.000Z' };
        await scene.put(`chart_snapshots/${id}`, expired);
        await scene.putObject(object, 'a picture');
        return snapshot;
      };
      const gone = await keep('DAX', 'library/DAX/4h');
      const named = await keep('DJI', 'charts/run/step');
      await scene.putObject('charts/run/step/manifest.json', JSON.stringify([named.uri]));
      const place = name === 'local' ? [] : [...scene.flags, '--charts-bucket', scene.bucket];
      const { cwd } = scene;
      const served = await Served.start(onTestFinished, {
        cwd,
        argv: place,
        env: { ...ENV, ...scene.env },
      });
      const call = await served.client();
      const report = { expired: 1, kept: 1, elsewhere: 0, purged: 0, invalid: 0 };
      expect((await call('cleanupExpired', { dryRun: true })).data).toMatchObject(report);
      expect((await call('getSnapshotImage', { id: gone.id })).status).toBe(200);
      expect((await call('cleanupExpired')).data).toMatchObject({ ...report, dryRun: false });
      expect((await call('getSnapshotImage', { id: gone.id })).status).toBe(410);
      expect((await call('getSnapshot', { id: gone.id })).data.state).toBe('expired');
      expect(await call('deleteSnapshot', { id: named.id })).toMatchObject(
        aProblem(409, 'SNAPSHOT_IN_USE'),
      );
      expect((await call('deleteSnapshot', { id: named.id, force: true })).status).toBe(204);
      expect((await call('cleanupExpired', { purge: true })).data).toMatchObject({ purged: 1 });
      expect((await call('listSnapshots')).data.snapshots).toEqual([]);
      expect(await call('cleanupExpired', { purge: 'maybe' })).toMatchObject(
        aProblem(422, 'VALIDATION_FAILED'),
      );
    },
  );
}

for (const { name, open, skip } of LIBRARY_SCENES) {
  describe.skipIf(skip)(`before Chart-IMG, on ${name}`, () => {
    const DAX = { symbols: ['DAX'], timeframes: ['4h'], indicators: ['EMA_20', 'RSI'] };

    test('forty at once for the same chart: one call', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, { latencyMs: 200 });
      const served = await Served.start(onTestFinished, {
        cwd: scene.cwd,
        argv: ['--charts-api-mode', 'real', ...scene.flags],
        env: { ...scene.env, ...ENV },
      });
      const call = await served.client();
      const all = await Promise.all(Array.from({ length: 40 }, () => generated(call, DAX)));
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
      expect(scene.fake.requests).toHaveLength(1);
    });

    test('until the quota is used up: 429, and until when', async ({ onTestFinished }) => {
      const accounts = [{ ...LIBRARY_ACCOUNT, dailyLimit: 1, stopAt: 1 }];
      const scene = await open(onTestFinished, { accounts });
      const served = await Served.start(onTestFinished, {
        cwd: scene.cwd,
        argv: ['--charts-api-mode', 'real', ...scene.flags],
        env: { ...scene.env, ...ENV },
      });
      const call = await served.client();
      const snapshot = await generated(call, DAX);
      const { data } = await call('getSnapshotImage', { id: snapshot.id });
      expect((await scene.object(snapshot.uri)).equals(data)).toBe(true);
      expect(scene.fake.requests).toHaveLength(1);
      const over = await call('generateCharts', {}, { ...DAX, refresh: true });
      expect(over).toMatchObject(aProblem(429, 'RATE_LIMITED'));
      const { resetsAt } = over.data.details;
      const seconds = (Date.parse(resetsAt) - Date.now()) / 1_000;
      expect(Math.abs(Number(over.headers['retry-after']) - seconds)).toBeLessThan(10);
      expect(over.data.detail).toContain('00:00 UTC');
      expect((await call('getUsage')).data).toMatchObject({
        accounts: [{ id: 'acc-1', used: 1, leftOnDemand: 0 }],
        resetsAt,
      });
      expect(scene.fake.requests).toHaveLength(1);
    });
  });
}

test.skipIf(whyNoEmulator)(
  'a store that is gone: alive, but not ready',
  async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { cwd, env } = scene;
    const dead = { ...env, FIRESTORE_EMULATOR_HOST: '127.0.0.1:9' };
    const argv = ['--backend', 'gcp', '--charts-bucket', BUCKET];
    const served = await Served.start(onTestFinished, { cwd, argv, env: { ...dead, ...ENV } });
    expect((await served.get('/healthz')).status).toBe(200);
    const answer = await served.get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'INFRASTRUCTURE_ERROR' });
  },
);
