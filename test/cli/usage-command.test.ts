import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/table.js';
import { bar, usageText } from '../../src/cli/usage.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { type AccountView, type UsageView, viewUsage } from '../../src/library/usage-view.js';
import { logLines } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { gcpScene, localScene } from '../support/look-scene.js';

const NOON = Date.parse('2025-12-21T12:00:00Z');
const KEY = 'not-a-real-key-0123456789';
const NOTHING = { charts: 0, symbols: [], timeframes: [] };
const NO_DEMAND = { today: NOTHING, kept: NOTHING, complete: true };

const SUITES = [
  { name: 'local', open: localScene, skip: false },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
];

for (const { name, open, skip } of SUITES) {
  describe.skipIf(skip)(`usage on ${name}`, () => {
    test('shows each account, by priority and id, without a key; writes nothing', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const accounts = [
        { id: 'z-first', apiKey: `${KEY}1`, priority: -1, plan: 'PRO' },
        { id: 'b', apiKey: `${KEY}2` },
        { id: 'B', apiKey: `${KEY}3`, dailyLimit: 10 },
        { id: 'gone', apiKey: `${KEY}4` },
        { id: 'junk', apiKey: `${KEY}5` },
      ];
      const file = join(scene.cwd, 'accounts.json');
      await writeFile(file, JSON.stringify(accounts), { mode: 0o600 });
      const today = new Date().toISOString().slice(0, 10);
      const windowStart = `${today}T00:00:00Z`;
      const put = (id: string, data: JsonObject) =>
        scene.put(`chart_img_accounts_usage/${id}`, data);
      await put('b', { usageToday: 11, windowStart });
      await put('B', { usageToday: 10, windowStart });
      await put('gone', { usageToday: 3, windowStart, exhaustedOn: today });
      await put('junk', { usageToday: 'many', windowStart });
      await scene.put('chart_snapshots/8204356804360_DAX_4h_ctpl_a_0123abcd', {
        ...{ symbol: 'DAX', interval: '4h', state: 'stored' },
        generatedAt: `${today}T00:00:00.000Z`,
      });
      await put('python-only', { usageToday: 7, windowStart, dailyLimit: 20, priority: 2 });
      const before = await scene.snapshot();
      const argv = ['usage', '--accounts-config-path', file];
      const json = await scene.run(...argv, '--json');
      const text = await scene.run(...argv);
      expect(await scene.snapshot()).toEqual(before);
      expect([json.exitCode, text.exitCode]).toEqual([0, 0]);
      for (const output of [json.stdout, json.stderr, text.stdout, text.stderr]) {
        expect(output).not.toContain(KEY);
      }
      const view: UsageView = JSON.parse(json.stdout);
      expect(view.accounts.map(({ id, used, limit, left }) => [id, used, limit, left])).toEqual([
        ['z-first', 0, 475, 475],
        ['B', 10, 10, 0],
        ['b', 11, 44, 33],
        ['gone', 3, 44, 0],
        ['junk', null, null, 0],
        ['python-only', 7, 20, 13],
      ]);
      expect(view.accounts.map((account) => [account.warnsFrom, account.leftOnDemand])).toEqual([
        [380, 451],
        [8, 0],
        [36, 30],
        [36, 0],
        [null, 0],
        [16, 12],
      ]);
      const dax = {
        charts: 1,
        symbols: [{ name: 'DAX', charts: 1 }],
        timeframes: [{ name: '4h', charts: 1 }],
      };
      expect(view.demand).toEqual({ today: dax, kept: dax, complete: true });
      expect(text.stdout).toMatch(/^b +36 +41 +30$/m);
      expect(text.stdout).toMatch(/^today: 1 chart, most of DAX \(1\); in 4h \(1\)$/m);
      expect(view.total).toEqual({ used: 31, limit: 593, left: 521 });
      const [, exhausted, , gone, junk, ledgerOnly] = view.accounts;
      expect(exhausted).toMatchObject({ exhausted: true, closed: null });
      expect(gone?.closed).toMatch(/Chart-IMG said/);
      expect(junk?.closed).toMatch(/usageToday is not a count/);
      expect(ledgerOnly).toMatchObject({ configured: false, priority: 2, plan: null });
      expect(text.stdout).toMatch(/^z-first +PRO +-1 +0 +475 +475 +░{10} +open$/m);
      expect(text.stdout).toMatch(/^B +- +0 +10 +10 +0 +█{10} +exhausted$/m);
      expect(text.stdout).toMatch(/^python-only +- +2 +7 +20 +13 +███▌░{6} +open, ledger only$/m);
      expect(text.stdout).toMatch(
        /^together 31 of 593 used, 521 left, 1 of unknown limit apart; /m,
      );
    });

    test('with neither accounts nor ledger it says how to name some', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const before = await scene.snapshot();
      const { exitCode, stdout } = await scene.run('usage');
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/--accounts-config-path.*\na new day begins in .* 00:00 UTC\n$/);
      const json = await scene.run('usage', '--log-format', 'json');
      const target = logLines(json.stderr).find(({ event }) => event === 'cloud_target');
      if (name !== 'local') expect(target).toMatchObject({ bucket: null });
      const wrong = await scene.run('usage', '--accounts-config-path', 'nowhere.json', '--json');
      expect(wrong.exitCode).toBe(2);
      expect(JSON.parse(wrong.stdout).error.message).toMatch(/nowhere\.json cannot be read/);
      expect(await scene.snapshot()).toEqual(before);
    });
  });
}

describe('the view', () => {
  const stored = (data: JsonObject) => ({ data, version: '1', updateTimeMs: NOON });

  test('goes by the store’s clock, and resets at 00:00 UTC', () => {
    const account = { id: 'a', apiKey: KEY };
    const document = stored({ usageToday: 9, windowStart: '2025-12-21T00:00:00Z' });
    const at = (ms: number) => viewUsage([account], () => document, new Map(), ms);
    expect(at(NOON)).toMatchObject({
      day: '2025-12-21',
      resetsAt: '2025-12-22T00:00:00.000Z',
      resetsInSeconds: 43_200,
      accounts: [{ used: 9, left: 35 }],
    });
    expect(at(NOON + 43_200_000)).toMatchObject({ accounts: [{ used: 0, left: 44 }] });
  });

  test('an account that only the ledger knows has a limit only if it says so', () => {
    const listed = new Map([['x', stored({ usageToday: 9, windowStart: '2025-12-21T00:00:00Z' })]]);
    expect(viewUsage([], () => undefined, listed, NOON)).toMatchObject({
      accounts: [{ id: 'x', used: 9, limit: null, left: null, exhausted: false, priority: null }],
      total: { used: 0, limit: 0, left: 0 },
    });
    const words = usageText(
      { ...viewUsage([], () => undefined, listed, NOON), demand: NO_DEMAND },
      new PassThrough(),
      {},
    );
    expect(words).toMatch(/^x +- +- +9 +- +- +- +open, ledger only$/m);
    expect(words).toMatch(/^limits are unknown: name a file with --accounts-config-path/m);
    expect(words).not.toContain('0 of 0');
  });
});

test.each([
  [0, 44, '░░░░░░░░░░', '..........'],
  [1, 5_000, '▏░░░░░░░░░', '#.........'],
  [22, 44, '█████░░░░░', '#####.....'],
  [43, 44, '█████████▊', '#########.'],
  [4_999, 5_000, '█████████▉', '#########.'],
  [44, 44, '██████████', '##########'],
  [50, 44, '██████████', '##########'],
  [0, 0, '██████████', '##########'],
])('the bar of %i of %i', (used, limit, blocks, ascii) => {
  expect(bar(used, limit, { cells: 10, isAscii: false })).toBe(blocks);
  expect(bar(used, limit, { cells: 10, isAscii: true })).toBe(ascii);
});

describe('on a terminal', () => {
  const account: AccountView = {
    id: 'an-account-with-a-rather-long-name',
    configured: true,
    plan: 'BASIC',
    priority: 0,
    used: 40,
    limit: 47,
    left: 7,
    warnsFrom: 38,
    stopsOnDemandAt: 44,
    leftOnDemand: 4,
    exhausted: false,
    closed: null,
  };
  const view: UsageView = {
    day: '2025-12-21',
    resetsAt: '2025-12-22T00:00:00.000Z',
    resetsInSeconds: 60,
    accounts: [account],
    total: { used: 40, limit: 47, left: 7 },
    demand: NO_DEMAND,
  };
  const textOn = (stream: object, env = {}) =>
    usageText(view, Object.assign(new PassThrough(), stream), env);

  test.each([80, 72])('of %i columns no row of the table is wider', (columns) => {
    const [head = '', row = ''] = textOn({ isTTY: true, columns }, { NO_COLOR: '1' }).split('\n');
    expect(head).toMatch(/^ACCOUNT .* STATE$/);
    expect(displayWidth(row)).toBeLessThanOrEqual(columns);
    expect(row).toMatch(/^an-account-with-.*█▌░ /);
  });

  test('of 30 columns each fact has its line, in ASCII', () => {
    const text = textOn({ isTTY: true, columns: 30 }, { NO_COLOR: '1' });
    expect(text).toContain(`ACCOUNT: ${account.id}\nPLAN: BASIC\n`);
    expect(text).toContain('TODAY: #######.\n');
  });

  test.each([
    ['0 columns', { isTTY: true, columns: 0 }],
    ['a pipe', {}],
  ])('%s: whole', (_, stream) => {
    expect(textOn(stream, { NO_COLOR: '1' })).toMatch(
      new RegExp(`^${account.id}  BASIC     0    40     47     7  `, 'm'),
    );
  });

  test('a dumb one gets ASCII and no colour, another gets colour', () => {
    const stream = { isTTY: true, columns: 100 };
    expect(textOn(stream, { TERM: 'dumb' })).toMatch(/ {2}#########\. {2}open$/m);
    expect(textOn(stream, {})).toContain('\u001b[33m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no colour in a pipe
    expect(textOn({}, {})).not.toMatch(/\u001b/);
  });
});
