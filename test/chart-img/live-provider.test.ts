import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ProviderAnswer } from '../../src/chart-img/chart-provider.js';
import { chartEndpoint } from '../../src/chart-img/live/endpoint.js';
import { LiveProvider, type LiveSettings } from '../../src/chart-img/live/live-provider.js';
import { retryAfterMs } from '../../src/chart-img/live/retry-after.js';
import { judge } from '../../src/chart-img/verdict.js';
import { ConfigError } from '../../src/failures.js';
import { type FakeChartImg, startFakeChartImg } from '../support/fake-chart-img/fake-chart-img.js';
import type { Fault } from '../support/fake-chart-img/faults.js';
import { expectNoKey } from '../support/fake-chart-img/no-key.js';
import { KEY, sampleChart } from '../support/fake-chart-img/sample-chart.js';

let fake: FakeChartImg;
beforeEach(async () => {
  fake = await startFakeChartImg({
    keys: [{ apiKey: KEY, plan: 'ULTRA', requestsPerSecond: 'unlimited', dailyLimit: 'unlimited' }],
  });
});
afterEach(() => fake.close());

function open(settings: Partial<LiveSettings> = {}): LiveProvider {
  const provider = new LiveProvider({ baseUrl: fake.url, timeoutMs: 20_000, ...settings });
  onTestFinished(() => provider.close());
  return provider;
}

function call(provider: LiveProvider, signal = new AbortController().signal) {
  return provider.render({ chart: sampleChart(), apiKey: KEY, signal });
}

async function reasonWhy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      throw new Error(`it did not reject: ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
}

describe('a call', () => {
  test('is one POST with the key, and the chart as it was asked for', async () => {
    const answer = await call(open());
    expect(judge(answer)).toMatchObject({ kind: 'chart', size: { width: 640, height: 480 } });
    expect(answer).not.toHaveProperty('retryAfterMs');
    const [{ method, path, headers, body } = { body: '', headers: {} }] = fake.requests;
    expect([method, path, JSON.parse(body)]).toEqual([
      'POST',
      '/v2/tradingview/advanced-chart',
      sampleChart().body,
    ]);
    expect(headers).toEqual({
      'x-api-key': KEY,
      'content-type': 'application/json',
      'content-length': String(body.length),
      'accept-encoding': 'identity',
      'user-agent': 'worker-chart-export',
      connection: 'keep-alive',
      host: new URL(fake.url).host,
    });
    expect(fake.counts).toEqual({ [KEY]: { [new Date().toISOString().slice(0, 10)]: 1 } });
  });

  test('leaves what it was given as it was', async () => {
    const chart = sampleChart();
    const before = structuredClone(chart);
    const signal = new AbortController().signal;
    await open().render({ chart, apiKey: KEY, signal });
    expect(chart).toEqual(before);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('without a key is a bug', async () => {
    const { signal } = new AbortController();
    await expect(open().render({ chart: sampleChart(), signal })).rejects.toThrow('needs a key');
    expect(fake.connections).toBe(0);
  });

  test('is never made twice, whatever comes', async () => {
    const provider = open({ timeoutMs: 2_000 });
    const faults: Fault[] = [
      { act: 'close' },
      { act: 'answer', status: 503, headers: { 'retry-after': '0' } },
      { act: 'answer', status: 429, headers: { 'retry-after': '0' } },
      { act: 'cut' },
    ];
    for (const fault of faults) {
      fake.faults.add({ fault });
      await call(provider);
      fake.faults.clear();
    }
    expect(fake.requests).toHaveLength(faults.length);
  });

  test('of every chart is foreseen, and asks nobody', async () => {
    const charts = [sampleChart(), sampleChart()];
    const foresights = await open().foresee(charts);
    expect(charts.map((chart) => foresights.get(chart))).toEqual(
      charts.map(() => ({ kind: 'call', source: 'chart-img' })),
    );
    expect(fake.connections).toBe(0);
  });
});

describe('sockets', () => {
  test('serve call after call, and are closed at the end', async () => {
    const provider = open();
    const lane = async () => {
      for (let round = 0; round < 8; round++)
        expect(judge(await call(provider)).kind).toBe('chart');
    };
    await Promise.all(Array.from({ length: 4 }, lane));
    expect(fake.requests).toHaveLength(32);
    expect(fake.connections).toBeLessThanOrEqual(4);
    provider.close();
    await fake.disconnected();
  });

  test('serve on after an error, too', async () => {
    const provider = open();
    for (const status of [422, 429, 500, 302]) {
      fake.faults.add({ fault: { act: 'answer', status, body: '{"message":"x"}' } });
      await call(provider);
      fake.faults.clear();
    }
    expect(fake.connections).toBe(1);
  });

  test('that no call uses are closed before the service does it; a slow call is none of these', async () => {
    const provider = open({ idleMs: 40 });
    fake.faults.add({ fault: { act: 'delay', ms: 250 } });
    expect(judge(await call(provider)).kind).toBe('chart');
    await fake.disconnected();
    expect(judge(await call(provider)).kind).toBe('chart');
    expect(fake.connections).toBe(2);
  });

  test('closed during a call leave it without an answer', async () => {
    const provider = open();
    fake.faults.add({ fault: { act: 'hang' } });
    const answer = call(provider);
    await fake.arrived(1);
    provider.close();
    expect(await answer).toMatchObject({ kind: 'no-answer', reason: 'network' });
  });
});

describe('an abort', () => {
  const REASON = new Error('the lease is lost');

  test('before the call: nothing is sent', async () => {
    expect(await reasonWhy(call(open(), AbortSignal.abort(REASON)))).toBe(REASON);
    expect(fake.connections).toBe(0);
  });

  test.each<[string, Fault]>([
    ['before an answer', { act: 'hang' }],
    ['in its body', { act: 'endless', status: 200, chunk: 'x', everyMs: 5 }],
    ['in a flood', { act: 'endless', status: 200, chunk: 'x'.repeat(999), everyMs: 1 }],
  ])('%s rejects with its reason and closes the socket', async (_when, fault) => {
    const stop = new AbortController();
    fake.faults.add({ fault });
    const answer = reasonWhy(call(open({ timeoutMs: 60_000 }), stop.signal));
    await fake.arrived(1);
    if (fault.act === 'endless') await fake.sent(500);
    const startedAt = performance.now();
    stop.abort(REASON);
    expect(await answer).toBe(REASON);
    await fake.disconnected();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  test('with a reason of any kind, even one that is called a timeout', async () => {
    for (const reason of [new DOMException('late', 'TimeoutError'), 'a text', 7]) {
      const stop = new AbortController();
      fake.faults.clear();
      fake.faults.add({ fault: { act: 'hang' } });
      const before = fake.requests.length;
      const answer = reasonWhy(call(open(), stop.signal));
      await fake.arrived(before + 1);
      stop.abort(reason);
      expect(await answer).toBe(reason);
    }
  });

  test('ends all calls that share it, and nobody is warned of their number', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const stop = new AbortController();
    const provider = open();
    fake.faults.add({ fault: { act: 'hang' }, times: 'forever' });
    const answers = Array.from({ length: 64 }, () => reasonWhy(call(provider, stop.signal)));
    await fake.arrived(64);
    stop.abort(REASON);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([REASON]));
    await fake.disconnected();
    expect(warnings).toEqual([]);
  });
});

test('a closed port is no answer, told without the key', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const answer: ProviderAnswer = await call(open({ baseUrl: `http://127.0.0.1:${port}` }));
  expect(answer).toEqual({
    kind: 'no-answer',
    reason: 'network',
    message: 'the connection was refused (ECONNREFUSED)',
    unsent: true,
  });
  expectNoKey(answer);
});

describe('Retry-After', () => {
  const NOW = Date.parse('2025-12-31T12:00:00Z');
  const AT = 'Wed, 31 Dec 2025 12:00:30 GMT';

  test('reaches the answer', async () => {
    const headers = { 'retry-after': '7' };
    fake.faults.add({ fault: { act: 'answer', status: 503, headers } });
    expect(await call(open())).toMatchObject({ status: 503, retryAfterMs: 7_000 });
    fake.faults.clear();
    const byDate = { 'retry-after': AT, date: 'an unreadable one' };
    fake.faults.add({ fault: { act: 'answer', status: 429, headers: byDate } });
    const answer = await call(open({ now: () => NOW }));
    expect(answer).toMatchObject({ status: 429, retryAfterMs: 30_000 });
  });

  test.each([
    ['0', {}, 0],
    [' 120 ', {}, 120_000],
    ['9999999999', {}, 9_999_999_999_000],
    ['99999999999', {}, undefined],
    ['-1', {}, undefined],
    ['1.5', {}, undefined],
    ['1e9', {}, undefined],
    ['', {}, undefined],
    ['soon', {}, undefined],
    ['tomorrow 7', {}, undefined],
    [AT, {}, 30_000],
    [AT, { date: 'Wed, 31 Dec 2025 12:00:20 GMT' }, 10_000],
    [AT, { date: 'Wed, 31 Dec 2025 13:00:00 GMT' }, 0],
    ['Wed, 31 Dec 2025 99:00:30 GMT', {}, undefined],
  ])('%j with %j is %j', (value, headers, ms) => {
    expect(retryAfterMs({ 'retry-after': value, ...headers }, NOW)).toBe(ms);
  });

  test('absent is absent', () => {
    expect(retryAfterMs({}, NOW)).toBeUndefined();
  });
});

describe('the base URL', () => {
  test.each([
    ['https://api.chart-img.com', 'https://api.chart-img.com/v2/tradingview/advanced-chart'],
    ['https://a.b/x//', 'https://a.b/x/v2/tradingview/advanced-chart'],
    ['http://localhost:1', 'http://localhost:1/v2/tradingview/advanced-chart'],
    ['http://127.9.9.9:1/', 'http://127.9.9.9:1/v2/tradingview/advanced-chart'],
    ['http://[::1]:1', 'http://[::1]:1/v2/tradingview/advanced-chart'],
  ])('%s', (baseUrl, endpoint) => {
    expect(chartEndpoint(baseUrl).href).toBe(endpoint);
  });

  test.each([
    'http://api.chart-img.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'ftp://localhost',
    'api.chart-img.com',
    '',
    'https://user:secret@a.b',
    'https://a.b/?key=secret',
    'https://a.b/#secret',
  ])('%j is refused, without showing it', (baseUrl) => {
    const make = () => new LiveProvider({ baseUrl });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/^CHART_IMG_BASE_URL (?:is|must) (?!.*secret)/);
  });
});
