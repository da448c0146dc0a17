import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { wholePngSize } from '../../src/chart-img/png.js';
import { PATH } from '../support/fake-chart-img/answers.js';
import {
  type FakeChartImgOptions,
  startFakeChartImg,
} from '../support/fake-chart-img/fake-chart-img.js';
import type { KnownKey } from '../support/fake-chart-img/plans.js';

const GOOD = { symbol: 'BINANCE:BTCUSDT', interval: '1h' };
/** One millisecond before midnight. */
const LATE = Date.parse('2025-12-31T23:59:59.999Z');

async function start(options: FakeChartImgOptions) {
  const fake = await startFakeChartImg(options);
  onTestFinished(() => fake.close());
  return fake;
}

function fast(apiKey: string, more: Partial<KnownKey> = {}): KnownKey {
  return { apiKey, plan: 'BASIC', requestsPerSecond: 'unlimited', ...more };
}

interface Question {
  readonly path?: string;
  /** Empty: none. */
  readonly key?: string;
  /** A text is sent as it is. */
  readonly body?: unknown;
}

async function ask(url: string, { path = PATH, key = 'k', body = GOOD }: Question = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { 'x-api-key': key }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type') === 'application/json';
  const said: unknown = isJson ? JSON.parse(bytes.toString()) : null;
  return { status: response.status, said, bytes };
}

describe('what it answers', () => {
  test('a chart is a whole PNG of the size asked for', async () => {
    const { url } = await start({ keys: [fast('k', { plan: 'PRO' })] });
    for (const size of [
      { width: 1920, height: 1080 },
      { width: 400, height: 300 },
    ]) {
      const { status, bytes } = await ask(url, { body: { ...GOOD, ...size } });
      expect([status, wholePngSize(bytes)]).toEqual([200, size]);
    }
    expect(wholePngSize((await ask(url)).bytes)).toEqual({ width: 800, height: 600 });
  });

  const studies = (count: number) => Array(count).fill({ name: 'Volume' });

  test.each<[string, Question, number, object]>([
    ['another path', { path: '/v1/x' }, 404, { message: 'Not Found' }],
    ['no key', { key: '' }, 401, { message: 'Invalid Request' }],
    ['another key', { key: 'other' }, 403, { message: 'Forbidden' }],
    ['no JSON', { body: '{' }, 400, { message: 'Bad Request' }],
    ['a list', { body: '[]' }, 400, { message: 'Bad Request' }],
    [
      'a symbol alone',
      { body: { ...GOOD, symbol: 'BTCUSDT' } },
      422,
      { message: 'Invalid Symbol' },
    ],
    ['no symbol', { body: { interval: '1h' } }, 422, [{ param: 'symbol', msg: 'is required' }]],
    [
      'an interval it has not',
      { body: { ...GOOD, interval: '7m' } },
      422,
      [{ value: '7m', param: 'interval', msg: 'must be a supported interval', location: 'body' }],
    ],
    ['an unknown parameter', { body: { ...GOOD, intervall: '1h' } }, 422, [{ param: 'intervall' }]],
    ['a small chart', { body: { ...GOOD, width: 399 } }, 422, [{ param: 'width' }]],
    ['half a pixel', { body: { ...GOOD, height: 300.5 } }, 422, [{ param: 'height' }]],
    ['a nameless study', { body: { ...GOOD, studies: [{}] } }, 422, [{ param: 'studies' }]],
    [
      'a chart too large',
      { body: { ...GOOD, width: 801 } },
      403,
      { message: 'Exceed Max Usage Resolution Limit (800x600)' },
    ],
    [
      'too many studies and drawings',
      { body: { ...GOOD, studies: studies(2), drawings: studies(2) } },
      403,
      { message: 'Exceed Max Usage Parameter Limit (3)' },
    ],
  ])('%s is refused', async (_what, request, status, said) => {
    const { url } = await start({ keys: [fast('k')] });
    const answer = await ask(url, request);
    expect(answer.status).toBe(status);
    expect(answer.said).toMatchObject(said);
  });

  test('what another plan may have', async () => {
    const { url } = await start({ keys: [fast('k', { plan: 'MEGA' })] });
    const body = { ...GOOD, width: 1920, height: 1600, studies: studies(10) };
    expect((await ask(url, { body })).status).toBe(200);
  });
});

describe('how much it gives', () => {
  test('a burst, and then its rate, for each key alone', async () => {
    let nowMs = LATE - 60_000;
    const keys: KnownKey[] = [
      { apiKey: 'a', plan: 'BASIC' },
      { apiKey: 'b', plan: 'BASIC', requestsPerSecond: 2, burst: 1 },
    ];
    const { url } = await start({ keys, now: () => nowMs });
    const run = async (key: string, times: number) => {
      const statuses = [];
      for (let time = 0; time < times; time++) statuses.push((await ask(url, { key })).status);
      return statuses;
    };
    expect(await run('a', 5)).toEqual([200, 200, 200, 429, 429]);
    expect((await ask(url, { key: 'a' })).said).toEqual({ message: 'Too Many Requests' });
    expect(await run('b', 2)).toEqual([200, 429]);
    nowMs += 999;
    expect(await run('a', 1)).toEqual([429]);
    nowMs += 1;
    expect(await run('a', 2)).toEqual([200, 429]);
    expect(await run('b', 2)).toEqual([200, 429]);
    nowMs -= 30_000;
    expect(await run('a', 1)).toEqual([429]);
    nowMs += 40_000;
    expect(await run('a', 4)).toEqual([200, 200, 200, 429]);
  });

  test('a day of its plan or its own, of requests that reached it', async () => {
    const keys = [fast('a', { dailyLimit: 2 }), fast('b'), fast('c', { dailyLimit: 'unlimited' })];
    const fake = await start({ keys, now: () => LATE });
    const statuses = async (key: string, times: number, body: unknown = GOOD) =>
      (await Promise.all(Array.from({ length: times }, () => ask(fake.url, { key, body })))).map(
        ({ status }) => status,
      );
    expect(await statuses('a', 1, {})).toEqual([422]);
    expect((await statuses('a', 3)).sort()).toEqual([200, 429, 429]);
    expect((await ask(fake.url, { key: 'a' })).said).toEqual({ message: 'Limit Exceeded' });
    expect((await statuses('b', 52)).filter((status) => status === 200)).toHaveLength(50);
    expect(new Set(await statuses('c', 60))).toEqual(new Set([200]));
  });

  test('it counts whatever reached it, by its own day', async () => {
    let nowMs = LATE;
    const fake = await start({ keys: [fast('a', { dailyLimit: 1 })], now: () => nowMs });
    fake.faults.add({ apiKey: 'a', nth: 4, fault: { act: 'close' } });
    const one = (key: string) => ask(fake.url, { key, body: {} }).catch(() => undefined);
    for (const key of ['a', 'a', 'x', '', 'a']) await one(key);
    nowMs += 1;
    await one('a');
    expect((await ask(fake.url, { key: 'a' })).said).toEqual({ message: 'Limit Exceeded' });
    fake.setClock(LATE + 2);
    expect((await ask(fake.url, { key: 'a' })).status).toBe(429);
    fake.setClock(LATE + 86_400_001);
    expect((await ask(fake.url, { key: 'a' })).status).toBe(200);
    expect(fake.counts).toEqual({
      a: { '2025-12-31': 3, '2026-01-01': 3, '2026-01-02': 1 },
      x: { '2025-12-31': 1 },
      '(none)': { '2025-12-31': 1 },
    });
    expect(fake.requests).toHaveLength(9);
  });

  test('a request that comes before midnight counts before it, although its chart comes after', async () => {
    const fake = await start({ keys: [fast('a')], now: () => LATE, latencyMs: 20 });
    const asked = ask(fake.url, { key: 'a' });
    await fake.arrived(1);
    fake.setClock(LATE + 1);
    expect((await asked).status).toBe(200);
    expect(fake.counts).toEqual({ a: { '2025-12-31': 1 } });
  });
});

test('faults meet the requests that they are for', async () => {
  const fake = await start({ keys: [fast('a'), fast('b')] });
  fake.faults.add({ apiKey: 'b', nth: 2, times: 2, fault: { act: 'answer', status: 500 } });
  const statuses = [];
  for (const key of ['a', 'b', 'a', 'b', 'b', 'b']) {
    statuses.push((await ask(fake.url, { key })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 500, 500, 200]);
  fake.faults.add({ fault: { act: 'cut' }, times: 'forever' });
  await expect(ask(fake.url, { key: 'a' })).rejects.toThrow();
  fake.faults.clear();
  expect((await ask(fake.url, { key: 'a' })).status).toBe(200);
});

test('a chart takes its time, a refusal none', async () => {
  const { url } = await start({ keys: [fast('a')], latencyMs: 300 });
  const timed = async (body: unknown) => {
    const startedAt = performance.now();
    await ask(url, { key: 'a', body });
    return performance.now() - startedAt;
  };
  expect(await timed(GOOD)).toBeGreaterThan(295);
  const tries = [];
  for (let round = 0; round < 5; round++) tries.push(await timed({}));
  expect(Math.min(...tries)).toBeLessThan(250);
});

test('alone in a process, it is steered over HTTP and ends on a signal', async () => {
  const main = fileURLToPath(new URL('../support/fake-chart-img/main.ts', import.meta.url));
  const options = JSON.stringify({ keys: [fast('a', { dailyLimit: 2 })] });
  const child = spawn(process.execPath, ['--import', 'tsx', main, options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = String((await once(child.stdout, 'data'))[0]).trim();
    const tell = (what: string, body: unknown) =>
      fetch(`${url}/__fake/${what}`, { method: 'POST', body: JSON.stringify(body) });
    await tell('clock', { now: LATE - 600_000 });
    await tell('faults', { nth: 2, fault: { act: 'answer', status: 503, body: 'ä' } });
    const statuses = [];
    for (let time = 0; time < 3; time++) statuses.push((await ask(url, { key: 'a' })).status);
    expect(statuses).toEqual([200, 503, 429]);
    const state = await (await fetch(`${url}/__fake/state`)).json();
    expect(state).toMatchObject({ counts: { a: { '2025-12-31': 3 } } });
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
  expect(child.exitCode).toBe(0);
});
