import { describe, expect, test } from 'vitest';
import { hintFor, type Refusal, withHint } from '../../src/chart-img/hints.js';
import { judge } from '../../src/chart-img/verdict.js';

const BTC = {
  needs: { width: 1920, height: 1080, parameters: 4 },
  request: { chartImgSymbol: 'BINANCE:BTCUSDX', interval: '1h' },
};

/** As the provider's words are judged: the hints depend on both. */
function refusal(status: number, message: string): Refusal {
  const verdict = judge({ kind: 'answer', status, body: Buffer.from(JSON.stringify({ message })) });
  if (verdict.kind === 'chart') throw new Error('a chart');
  return verdict;
}

describe('a hint', () => {
  test.each<[number, string, string | undefined]>([
    [
      403,
      'Exceed Max Usage Resolution Limit (800x600)',
      'the chart asks for 1920×1080 pixels; plan PRO would do',
    ],
    [
      403,
      'Exceed Max Usage Parameter Limit (3)',
      'the chart asks for 4 studies and drawings; plan PRO would do',
    ],
    [
      403,
      'Exceed Max Usage Limit',
      'the chart asks for 1920×1080 pixels with 4 studies and drawings; plan PRO would do',
    ],
    [403, 'Forbidden', 'check the apiKey of the account'],
    [401, 'Invalid Request', 'check the apiKey of the account'],
    [403, 'Layout Forbidden', undefined],
    [
      422,
      'Invalid Symbol',
      'check the symbol BINANCE:BTCUSDX; it has to be one of its exchange, e.g. BINANCE:BTCUSDT',
    ],
    [422, 'Invalid Interval', '1h was asked for; nearest is 45m'],
    [
      422,
      'studies[0].name: must be a supported name',
      'check the studies and drawings of the template',
    ],
    [422, 'something else', undefined],
    [400, 'no such symbol', undefined],
    [404, 'Not Found', 'check CHART_IMG_BASE_URL'],
    [302, 'Found', 'check CHART_IMG_BASE_URL'],
    [409, 'Session Disconnected', undefined],
    [429, 'Limit Exceeded', 'the day begins anew at 00:00 UTC'],
    [429, 'who knows', 'the day begins anew at 00:00 UTC'],
    [429, 'Too Many Requests', 'check plan and requestsPerSecond of the account'],
    [500, 'Something Went Wrong', undefined],
  ])('at %i "%s" is %j', (status, words, hint) => {
    const refused = refusal(status, words);
    expect(hintFor(refused, BTC)).toBe(hint);
    expect(withHint(refused, BTC)).toBe(hint === undefined ? words : `${words}; ${hint}`);
  });

  test('says where no plan would do', () => {
    const needs = { width: 4_000, height: 600, parameters: 0 };
    const refused = refusal(403, 'Exceed Max Usage Resolution Limit (2048x1920)');
    expect(hintFor(refused, { ...BTC, needs })).toBe(
      'the chart asks for 4000×600 pixels; no plan would do',
    );
  });
});
