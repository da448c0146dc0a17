import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ProviderAnswer } from '../../src/chart-img/chart-provider.js';
import { LiveProvider, MAX_ANSWER_BYTES } from '../../src/chart-img/live/live-provider.js';
import { judge, type Verdict } from '../../src/chart-img/verdict.js';
import { type FakeChartImg, startFakeChartImg } from '../support/fake-chart-img/fake-chart-img.js';
import type { Fault } from '../support/fake-chart-img/faults.js';
import {
  answer,
  BROKEN,
  DOCUMENTED,
  LENGTH,
  NO_PNG,
  NOT_AS_IT_SEEMS,
  OK,
  PNG,
  raw,
  UNUSUAL_BUT_WHOLE,
} from '../support/fake-chart-img/hostile-table.js';
import { expectNoKey } from '../support/fake-chart-img/no-key.js';
import { callInChild } from '../support/fake-chart-img/run-caller.js';
import { KEY, sampleChart } from '../support/fake-chart-img/sample-chart.js';
import { ALL_CASES, MEASURES } from '../support/share.js';

/** Of one call; far from what a busy machine takes for an answer that does come. */
const PATIENT_MS = 10_000;
/** Where waiting for it is the test. */
const HASTY_MS = 300;

let fake: FakeChartImg;
let thief: FakeChartImg;
beforeAll(async () => {
  const keys = [{ apiKey: KEY, plan: 'ULTRA', requestsPerSecond: 'unlimited' }] as const;
  fake = await startFakeChartImg({ keys });
  thief = await startFakeChartImg({ keys });
});
afterAll(async () => {
  await fake.close();
  await thief.close();
});

/** What the engine would make of one call that meets this fault. */
async function meet(fault: Fault, timeoutMs: number): Promise<[Verdict, ProviderAnswer]> {
  const provider = new LiveProvider({ baseUrl: fake.url, timeoutMs });
  onTestFinished(() => provider.close());
  fake.faults.clear();
  fake.faults.add({ fault });
  const before = fake.requests.length;
  const { signal } = new AbortController();
  const answer = await provider.render({ chart: sampleChart(), apiKey: KEY, signal });
  expect(fake.requests.length, 'calls made').toBe(before + 1);
  expectNoKey(answer);
  expectNoKey(judge(answer));
  return [judge(answer), answer];
}

describe.each([
  ['documented', DOCUMENTED],
  ['not as it seems', NOT_AS_IT_SEEMS],
  ['broken', BROKEN],
  ['unusual', UNUSUAL_BUT_WHOLE],
] as const)('an answer, %s:', (_group, rows) => {
  for (const [name, fault, kind, words] of rows) {
    test(name, async () => {
      const [verdict] = await meet(fault, PATIENT_MS);
      expect(verdict.kind, JSON.stringify(verdict).slice(0, 300)).toBe(kind);
      if (words === undefined || verdict.kind === 'chart') return;
      if (typeof words === 'string') expect(verdict.message).toBe(words);
      else expect(verdict.message).toMatch(words);
    });
  }
});

describe.each([301, 302, 303, 307, 308])('a redirect (%i)', (status) => {
  test.each([
    ['to another host', () => `${thief.url}/v2/tradingview/advanced-chart`],
    ['to another host, without a scheme', () => thief.url.replace('http:', '')],
    ['to itself', () => '/v2/tradingview/advanced-chart'],
  ])('%s is an answer, and nobody follows', async (_where, location) => {
    const [verdict, given] = await meet(answer(status, '', { location: location() }), PATIENT_MS);
    expect(verdict).toMatchObject({ kind: 'chart-wrong', httpStatus: status });
    expect(given).toMatchObject({ kind: 'answer', status });
    expect([thief.connections, thief.counts]).toEqual([0, {}]);
  });
});

describe('what has no end', () => {
  const png = PNG.slice(0, 99);

  test.each<readonly [string, Fault]>([
    ['silence', { act: 'hang' }],
    ['a head without an end', { act: 'raw', body: `${OK}\r\n`, end: 'keep' }],
    ['a head without a body', raw([OK, LENGTH], '', 'keep')],
    ['a body that stops', raw([OK, LENGTH], png, 'keep')],
    ['100 without an answer', raw('HTTP/1.1 100 Continue', '', 'keep')],
    ['a drip', { act: 'endless', status: 200, chunk: 'x', everyMs: 10 }],
    ['a drip of an error', { act: 'endless', status: 429, chunk: 'x', everyMs: 10 }],
  ])('%s: the call ends at its deadline', async (_name, fault) => {
    const startedAt = performance.now();
    const [verdict, given] = await meet(fault, HASTY_MS);
    const tookMs = performance.now() - startedAt;
    const message = 'no whole answer within 0.3 s';
    expect(given).toEqual({ kind: 'no-answer', reason: 'timeout', message });
    expect(verdict).toEqual({ kind: 'try-again', message });
    expect(tookMs).toBeGreaterThan(HASTY_MS - 5);
    expect(tookMs).toBeLessThan(HASTY_MS + 5_000);
    await fake.disconnected();
  });

  test.each([
    [200, 'chart-wrong', NO_PNG],
    [429, 'quota-gone', /^Limit Exceeded Limit Exceeded/],
    [500, 'try-again', /^Limit Exceeded Limit Exceeded/],
  ] as const)('a flood with status %i is left after 8 MB', async (status, kind, words) => {
    const before = fake.bytesSent;
    const chunk = 'Limit Exceeded '.repeat(4_096);
    const [verdict, given] = await meet({ act: 'endless', status, chunk, everyMs: 0 }, 60_000);
    expect(verdict).toMatchObject({ kind, message: expect.stringMatching(words) });
    if (given.kind !== 'answer') throw new Error('it was an answer');
    expect(given.body.length).toBe(4_096);
    await fake.disconnected();
    // More than was read: what the sockets' buffers of both sides hold.
    expect(fake.bytesSent - before).toBeGreaterThan(MAX_ANSWER_BYTES);
    expect(fake.bytesSent - before).toBeLessThan(MAX_ANSWER_BYTES + 24 * 1_024 * 1_024);
  });

  test('8 MB to the byte are an answer, one more is too many', async () => {
    const body = (length: number) => answer(500, 'x'.repeat(length));
    for (const [length, kept] of [
      [MAX_ANSWER_BYTES, MAX_ANSWER_BYTES],
      [MAX_ANSWER_BYTES + 1, 4_096],
    ] as const) {
      const [, given] = await meet(body(length), 60_000);
      expect(given).toMatchObject({ kind: 'answer', body: { length: kept } });
    }
  });
});

describe.skipIf(!ALL_CASES)(`memory${MEASURES}`, () => {
  /** Of gzip: a third of a gigabyte in 300 KB. */
  const MEMBER = gzipSync(Buffer.alloc(1_024 * 1_024));
  const BOMB = Buffer.concat(Array(320).fill(MEMBER));

  test.each([
    [
      'a gzip bomb',
      {
        act: 'answer',
        status: 200,
        headers: { 'content-encoding': 'gzip', 'content-type': 'image/png' },
        body: BOMB.toString('base64'),
        encoding: 'base64',
      },
    ],
    ['a flood', { act: 'endless', status: 200, chunk: 'x'.repeat(65_536), everyMs: 0 }],
  ] as const satisfies readonly (readonly [string, Fault])[])(
    'does not grow with %s',
    async (_what, fault) => {
      fake.faults.clear();
      fake.faults.add({ fault, times: 'forever' });
      const settings = { baseUrl: fake.url, timeoutMs: 60_000 };
      const report = await callInChild({ settings, apiKey: KEY, calls: 3, pauseMs: 0 });
      expect(report.verdicts).toEqual(Array(3).fill(`chart-wrong: ${NO_PNG}`));
      expect(report.grownBytes).toBeLessThan(96 * 1_024 * 1_024);
    },
  );
});
