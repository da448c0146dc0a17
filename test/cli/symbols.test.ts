import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { gcpScene, type LookScene, localScene } from '../support/look-scene.js';

const SUITES = [
  { name: 'local', open: localScene, skip: false },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
];

async function symbolsOf(scene: LookScene): Promise<Record<string, unknown>[]> {
  return JSON.parse((await scene.run('symbols', 'list', '--json')).stdout).symbols;
}

for (const { name, open, skip } of SUITES) {
  describe.skipIf(skip)(`symbols on ${name}`, () => {
    test('the starter set is there before anything was written; listing writes nothing', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const before = await scene.snapshot();
      const { exitCode, stdout } = await scene.run('symbols', 'list');
      expect(await scene.snapshot()).toEqual(before);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(
        /^DAX +XETR:DAX +index +on, starter set +5m 15m .* +EMA_20 EMA_50 EMA_200 RSI Volume +\^GDAXI, DAX 40$/m,
      );
      expect(stdout).toMatch(/^EURUSD +OANDA:EURUSD +forex .* EMA_20 EMA_50 RSI Volume /m);
      expect(stdout).toMatch(/\n\n5 symbols\n$/);
    });

    test('set, disable and enable change what is named, by any name of it', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const set = ['symbols', 'set'];
      const made = await scene.run(
        ...set,
        'SPX',
        ...['--trading-view-symbol', 'SP:SPX', '--asset-class', 'index', '--aliases', '^GSPC'],
      );
      expect([made.exitCode, made.stdout.split('\n')[0]]).toEqual([0, 'new  SPX  SP:SPX']);
      const changed = await scene.run(
        ...set,
        '^GSPC',
        '--indicators',
        'MACD',
        '--timeframes',
        '4h',
      );
      expect(changed.stdout).toMatch(/^changed {2}SPX {2}SP:SPX\n {2}.*timeframes/);
      expect((await scene.run(...set, 'SPX', '--timeframes', '4h')).stdout).toMatch(/^same {2}SPX/);
      const off = await scene.run('symbols', 'disable', '^GSPC', 'EURGBP', '--json');
      expect(JSON.parse(off.stdout)).toEqual({
        ok: true,
        enabled: false,
        symbols: ['SPX', 'EURGBP'],
      });
      const look = await scene.run(...set, 'SPX', '--indicators', 'default', '--dry-run');
      expect(look.stdout).toMatch(/^would be changed {2}SPX/);
      const now = await symbolsOf(scene);
      expect(now.find(({ symbol }) => symbol === 'SPX')).toEqual({
        symbol: 'SPX',
        origin: 'stored',
        name: 'SPX',
        aliases: ['^GSPC'],
        tradingViewSymbol: 'SP:SPX',
        enabled: false,
        assetClass: 'index',
        timeframes: ['4h'],
        defaultIndicators: ['MACD'],
      });
      expect(now.find(({ symbol }) => symbol === 'EURGBP')).toMatchObject({
        origin: 'stored',
        enabled: false,
      });
      const on = await scene.run('symbols', 'enable', 'EURGBP', 'DAX');
      expect(on.stdout).toBe('on  EURGBP\non  DAX, as it was\n');
      expect((await symbolsOf(scene)).find(({ symbol }) => symbol === 'DAX')).toMatchObject({
        origin: 'starter',
      });
    });

    test('import writes all, or says everything that is wrong and writes nothing', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const file = join(scene.cwd, 'symbols.json');
      const importing = async (content: unknown, ...flags: string[]) => {
        await writeFile(file, JSON.stringify(content));
        return scene.run('symbols', 'import', file, ...flags);
      };
      const good = { tradingViewSymbol: 'TVC:GOLD', assetClass: 'commodity' };
      const bad = await importing([
        { symbol: 'GOLD', ...good, aliases: ['XAU'] },
        { symbol: '^SPX', ...good },
        { symbol: 'OIL', ...good, tradingViewSymbol: 'OIL', timeframe: ['1h'], aliases: ['XAU'] },
        { symbol: 'GOLD', ...good, timeframes: ['4 hours'], defaultIndicators: ['SMA'] },
        7,
      ]);
      expect(bad.exitCode).toBe(1);
      expect(bad.stdout.split('\n')).toEqual([
        '[1].symbol: "^SPX" is no id: at most 40 letters, digits and ._!&-, the first a letter or digit, as in SPX, with "^SPX" among its aliases',
        '[2].timeframe: is not a known field',
        '[2].tradingViewSymbol: must be a symbol of TradingView with its exchange, as in XETR:DAX',
        '[3].symbol: "GOLD" stands also at [0].symbol',
        '[3].defaultIndicators[0]: must be one of EMA_20, EMA_50, EMA_200, RSI, Volume, MACD, BB, ATR',
        '[3].timeframes[0]: "4 hours" is not an interval of Chart-IMG; did you mean 4h?',
        '[4].symbol: is required',
        `nothing written: 7 errors in ${file}`,
        '',
      ]);
      expect(await symbolsOf(scene)).toHaveLength(5);
      const tried = await importing({ GOLD: good }, '--dry-run');
      expect(tried.stdout).toBe('would write 1 symbol: GOLD\n');
      expect(await symbolsOf(scene)).toHaveLength(5);
      const whole = await importing({ GOLD: good, SILVER: { ...good, enabled: false } }, '--json');
      expect(JSON.parse(whole.stdout)).toMatchObject({ written: 2, symbols: ['GOLD', 'SILVER'] });
      expect(await symbolsOf(scene)).toHaveLength(7);
      // What is listed may be taken in again.
      const listed = JSON.parse((await scene.run('symbols', 'list', '--json')).stdout);
      expect(await importing(listed)).toMatchObject({ exitCode: 0 });
      const now = await symbolsOf(scene);
      expect(now.map(({ origin: _, ...symbol }) => symbol)).toEqual(
        listed.symbols.map(({ origin: _, ...symbol }: Record<string, unknown>) => symbol),
      );
    });

    test('a document that is not valid is shown with its reasons, and may be mended', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      await scene.put('chart_symbols/DAX', { enabled: 'yes' });
      const { stdout, exitCode } = await scene.run('symbols', 'list');
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^DAX +- +- +invalid /m);
      expect(stdout).toMatch(/^DAX: enabled: must be boolean$/m);
      const off = await scene.run('symbols', 'disable', 'DAX');
      expect(off).toMatchObject({ exitCode: 2, stdout: '' });
      expect(off.stderr).toMatch(/DAX is not valid: .*mend it with symbols set/);
      const argv = ['symbols', 'set', 'DAX', '--trading-view-symbol', 'XETR:DAX'];
      expect(await scene.run(...argv, '--asset-class', 'index')).toMatchObject({ exitCode: 0 });
      expect((await symbolsOf(scene))[0]).toMatchObject({ symbol: 'DAX', enabled: true });
    });
  });
}

describe('what cannot be meant', () => {
  const cases: [string[], RegExp][] = [
    [['set'], /name the symbol/],
    [['set', 'DAX'], /say what to set of DAX/],
    [['set', 'X/Y', '--name', 'x'], /"X\/Y" is no id/],
    [
      ['set', 'NEW', '--name', 'x'],
      /name it with --trading-view-symbol; name its class with --asset/,
    ],
    [['set', 'DAX', '--indicators', 'ema'], /"ema" is not an indicator/],
    [['set', 'DAX', '--timeframes', '7h'], /"7h" is not an interval of Chart-IMG; did you mean 6h/],
    [['enable'], /name the symbols/],
    [['disable', 'DAXX'], /there is no symbol "DAXX"; did you mean DAX\?/],
    [['import'], /name a JSON file/],
    [['import', 'nowhere.json'], /nowhere\.json cannot be read: no such file/],
  ];
  test.for(cases)('symbols %j', async ([argv, words], { onTestFinished }) => {
    const scene = await localScene(onTestFinished);
    const { exitCode, stdout } = await scene.run('symbols', ...argv, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error.message).toMatch(words);
  });

  test('an empty list is no file of symbols; stdin may be one', async ({ onTestFinished }) => {
    const { cwd } = await localScene(onTestFinished);
    const argv = ['symbols', 'import', '-', '--json'];
    const { exitCode, stdout } = await runCli(argv, { cwd, input: '{"symbols": []}' });
    expect([exitCode, JSON.parse(stdout).errors]).toEqual([
      1,
      ['(document): must be a list of symbols, or an object of them'],
    ]);
  });
});
