import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ChartRequest } from '../../src/chart-img/chart-request.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { ConfigError } from '../../src/failures.js';

const BTC: ChartRequest = {
  chartTemplateId: 'ctpl_a',
  chartImgSymbol: 'BINANCE:BTCUSDT',
  interval: '1h',
  timeframe: '1h',
  body: {},
  requestHash: '0'.repeat(64),
};
const PNG = 'BINANCE_BTCUSDT__1h__ctpl_a.png';
const LIMIT = 'BINANCE_BTCUSDT__1h__ctpl_a__429_LIMIT_EXCEEDED.json';
const WRONG = 'BINANCE_BTCUSDT__1h__ctpl_a__422_INVALID_SYMBOL.json';

async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'fixtures-')));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

function render(provider: FixtureProvider, chart = BTC, signal = new AbortController().signal) {
  return provider.render({ chart, signal });
}

async function answerOf(...folders: readonly Readonly<Record<string, string>>[]) {
  const paths = [];
  for (const files of folders) paths.push(await folder(files));
  const answer = await render(new FixtureProvider(paths));
  if (answer.kind !== 'answer') throw new Error(answer.message);
  return [answer.status, answer.body.toString(), answer.fixtureKey];
}

describe('an answer from fixtures', () => {
  test('is a PNG as it stands in its file', async () => {
    expect(await answerOf({ [PNG]: 'png bytes' })).toEqual([200, 'png bytes', PNG]);
  });

  test('is a PNG rather than an error, whatever their names', async () => {
    expect(await answerOf({ [LIMIT]: '{}', [PNG]: 'png' })).toEqual([200, 'png', PNG]);
  });

  test('is the first error by name', async () => {
    const both = { [LIMIT]: '{"body":{"message":"429"}}', [WRONG]: '{"body":{"message":"422"}}' };
    expect(await answerOf(both)).toEqual([422, '{"message":"422"}', WRONG]);
  });

  test('comes from the first folder that knows the chart', async () => {
    const error = '{"status":429,"body":{"message":"Limit Exceeded"}}';
    expect(await answerOf({}, { [LIMIT]: error }, { [PNG]: 'png' })).toEqual([
      429,
      '{"message":"Limit Exceeded"}',
      LIMIT,
    ]);
  });

  test.each([
    ['a list', '{"status":422,"body":[{"msg":"bad"}]}', '[{"msg":"bad"}]'],
    ['a text', '{"status":422,"body":"<html>"}', '"<html>"'],
    ['null', '{"status":422,"body":null}', 'null'],
    ['a bare body', '{"message":"bare"}', '{"message":"bare"}'],
    ['no JSON', 'Bad Gateway', 'Bad Gateway'],
  ])('of an error may be %s', async (_what, file, body) => {
    expect(await answerOf({ [WRONG]: file })).toEqual([422, body, WRONG]);
  });
});

describe('what is foreseen', () => {
  test('is a call where a PNG or an error stands, and the file that was looked for', async () => {
    const provider = new FixtureProvider([await folder({ [PNG]: 'png' })]);
    const monthly = { ...BTC, timeframe: '1M' };
    const wrong = { ...BTC, chartTemplateId: 'ctpl_ab' };
    const foresights = await provider.foresee([BTC, monthly, wrong]);
    expect([...foresights]).toEqual([
      [BTC, { kind: 'call', source: 'fixture' }],
      [monthly, { kind: 'missing', fixtureKey: 'BINANCE_BTCUSDT__1M__ctpl_a.png' }],
      [wrong, { kind: 'missing', fixtureKey: 'BINANCE_BTCUSDT__1h__ctpl_ab.png' }],
    ]);
    await expect(render(provider, monthly)).rejects.toThrow('BINANCE_BTCUSDT__1M__ctpl_a.png');
  });

  test('goes by the exact spelling of a file', async () => {
    const provider = new FixtureProvider([await folder({ [PNG.replace('1h', '1H')]: 'png' })]);
    expect((await provider.foresee([BTC])).get(BTC)).toMatchObject({ kind: 'missing' });
  });

  test('is nothing in a folder that is not there, or in none', async () => {
    for (const folders of [[], [join(await folder(), 'none')]]) {
      const provider = new FixtureProvider(folders);
      expect((await provider.foresee([BTC])).get(BTC)).toMatchObject({ kind: 'missing' });
    }
  });
});

describe('what cannot be read', () => {
  test('is a mistake of the user where it is the folder', async () => {
    const path = await folder({ file: '' });
    const provider = new FixtureProvider([join(path, 'file')]);
    await expect(provider.foresee([BTC])).rejects.toThrow(ConfigError);
  });

  test('is one where it is the fixture, which is named', async () => {
    const path = await folder();
    await mkdir(join(path, PNG));
    const reading = render(new FixtureProvider([path]));
    await expect(reading).rejects.toThrow(ConfigError);
    await expect(reading).rejects.toThrow(`fixture ${join(path, PNG)} cannot be read`);
  });

  test('is not what a call that was broken off says', async () => {
    const reason = new Error('deadline');
    const provider = new FixtureProvider([await folder({ [PNG]: 'png' })]);
    await expect(render(provider, BTC, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
