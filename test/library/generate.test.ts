import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../src/artifacts/artifact-store.js';
import { bundled } from '../../src/config/bundled.js';
import { parseWorkerConfig } from '../../src/config/run-config.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { StoreUnavailable } from '../../src/failures.js';
import {
  type ChartOrder,
  type Generated,
  type Library,
  type LogEvent,
  openLibrary,
} from '../../src/library/index.js';
import { libraryOn } from '../../src/library/library-on.js';
import { Logger } from '../../src/log/logger.js';
import { openWorker } from '../../src/worker/worker.js';
import { flowRun, jsonFile, runCli } from '../support/cli-run.js';
import { BUCKET } from '../support/gcp-scene.js';
import {
  LIBRARY_ACCOUNT,
  LIBRARY_SCENES,
  type LibraryScene,
} from '../support/live-library-scene.js';
import { onOneUtcDay } from '../support/step-scene.js';

const NEVER = new AbortController().signal;
const DAX: ChartOrder = { symbols: ['DAX'], timeframes: ['4h'] };
const TEMPLATE = 'ctpl_price_ma1226_vol_v1';

type Cleanup = (undo: () => Promise<void>) => void;

async function openOn(
  scene: LibraryScene,
  onTestFinished: Cleanup,
  log?: (event: LogEvent) => void,
): Promise<Library> {
  const { options } = scene;
  const library = await openLibrary({
    ...options,
    templatesDir: bundled.templates,
    ...(log && { log }),
  });
  onTestFinished(() => library.close());
  return library;
}

function outcomeOf(one: Generated): string {
  return one.kind === 'chart' ? one.source : one.error.code;
}

function bodies({ fake }: LibraryScene): JsonObject[] {
  return fake.requests.map(({ body }) => JSON.parse(body));
}

for (const { name, open, skip } of LIBRARY_SCENES) {
  describe.skipIf(skip)(`charts on demand on ${name}`, () => {
    test('by symbol and timeframe, in order, and what was cut to fit the plan', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      const order = {
        symbols: ['^GDAXI', 'EURUSD'],
        timeframes: ['4h', '1d'],
        trigger: 'alert',
      } as const;
      const results = await library.generate({ ...order, generatedBy: 'a desk' }, NEVER);
      expect(results.map(outcomeOf)).toEqual(Array(4).fill('chart-img'));
      const snapshots = results.flatMap((one) => (one.kind === 'chart' ? [one.snapshot] : []));
      expect(snapshots.map(({ symbol, timeframe }) => `${symbol} ${timeframe}`)).toEqual([
        ...['DAX 4h', 'DAX 1d', 'EURUSD 4h', 'EURUSD 1d'],
      ]);
      expect(snapshots[1]).toMatchObject({
        ...{ chartImgSymbol: 'XETR:DAX', interval: '1D', width: 1920, height: 1080 },
        ...{ triggerType: 'alert', generatedBy: 'a desk', source: 'chart-img', state: 'stored' },
        chartTemplateId: 'ind_EMA_20_EMA_50_EMA_200_RSI_Volume',
      });
      const [first] = results;
      expect(first?.kind === 'chart' && first.notices).toEqual([
        'drawn at 1920×1080 instead of 1920×1200: plan PRO draws no more',
      ]);
      expect(await library.snapshots.latest({ symbol: 'DAX', timeframe: '1D' })).toEqual(
        snapshots[1],
      );
      const [newest] = snapshots;
      expect(newest && (await library.snapshots.image(newest))?.byteLength).toBe(newest?.bytes);
      const names = await scene.pictures();
      expect(
        names.filter((at) => /library\/\w+\/(4h|1D)\/20\d{6}\/20\d{6}-/.test(at)),
      ).toHaveLength(4);
      // In another spelling, by another name, the same chart.
      const again = await library.generate({ symbols: ['DAX'], timeframes: ['1D'] }, NEVER);
      expect(again.map(outcomeOf)).toEqual(['cache']);
    });

    test('a template with another theme and size, under the symbol that its document names', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      const order = { timeframes: ['1h'], chartTemplateId: TEMPLATE } as const;
      await library.generate({ ...order, symbols: ['BTCUSDT'] }, NEVER);
      const wishes = { theme: 'dark', width: 700, height: 500 } as const;
      await library.generate({ ...order, ...wishes, symbols: ['NDX'] }, NEVER);
      expect(bodies(scene)).toMatchObject([
        { symbol: 'BINANCE:BTCUSDT', interval: '1h', theme: 'light', height: 600 },
        { symbol: 'NASDAQ:NDX', ...wishes },
      ]);
    });

    test('what cannot be drawn is refused in words, and calls nobody', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      const dji = await library.symbols.find('DJI');
      if (dji?.kind !== 'symbol') throw new Error('there is no DJI');
      await library.symbols.put('DJI', { ...dji.document, enabled: false, timeframes: ['1D'] });
      const of = (order: Partial<ChartOrder>) => library.generate({ ...DAX, ...order }, NEVER);
      const results = [
        ...(await of({ symbols: ['NOBODY', 'DJI'] })),
        ...(await of({ timeframes: ['3m', '7x'] })),
        ...(await of({ indicators: ['EMA_21'] })),
        ...(await of({ chartTemplateId: 'ctpl_nobody' })),
        ...(await of({ width: 200 })),
      ];
      const told = results.map((one) =>
        one.kind === 'refused' ? `${one.error.code}: ${one.error.message}` : one.source,
      );
      expect(told).toEqual([
        expect.stringMatching(/^SYMBOL_NOT_FOUND: "NOBODY" is no known symbol/),
        expect.stringMatching(/^SYMBOL_DISABLED: .*symbols enable DJI/),
        expect.stringMatching(/^TIMEFRAME_INVALID: DAX is not drawn in 3m; .*5m, 15m/),
        expect.stringMatching(/^TIMEFRAME_INVALID: "7x" is not an interval/),
        expect.stringMatching(/^VALIDATION_FAILED: .*did you mean EMA_20/),
        expect.stringMatching(/^VALIDATION_FAILED: no chart template ctpl_nobody/),
        expect.stringMatching(/^VALIDATION_FAILED: .*width/),
      ]);
      expect(scene.fake.requests).toHaveLength(0);
    });

    /** As it would be, had its renderer been killed before it said so. */
    async function leaveUnknown({ documents }: LibraryScene) {
      const [lease] = (await documents.list('chart_leases', { limit: 2 })).documents;
      const [known] = (await documents.list('chart_snapshots', { limit: 2 })).documents;
      if (!lease || !known) throw new Error('nothing was recorded');
      const data = { ...lease.data, state: 'ACTIVE', ttlMs: 0.001 };
      await documents.commit([
        { kind: 'put', path: paths.chartLease(lease.id), data },
        { kind: 'delete', path: paths.chartCache(lease.id) },
        { kind: 'delete', path: paths.chartSnapshot(known.id) },
      ]);
      return known;
    }

    test('a picture that its dead renderer stored is adopted, not paid for again', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      await library.generate(DAX, NEVER);
      const known = await leaveUnknown(scene);
      const results = await library.generate(DAX, NEVER);
      expect(results).toMatchObject([{ kind: 'chart', snapshot: { id: known.id, ...known.data } }]);
      expect(scene.fake.requests).toHaveLength(1);
      expect(await scene.usage()).toMatchObject({ usageToday: 1 });
      expect([await scene.count('chart_snapshots'), (await scene.pictures()).length]).toEqual([
        1, 1,
      ]);
    });

    test('one that is too old by then is recorded, and another one rendered', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      await library.generate(DAX, NEVER);
      const known = await leaveUnknown(scene);
      const [anew] = await library.generate({ ...DAX, refresh: true }, NEVER);
      expect(anew).toMatchObject({ kind: 'chart', source: 'chart-img' });
      expect(await library.snapshots.find(known.id)).toMatchObject(known.data);
      expect([await scene.count('chart_snapshots'), scene.fake.requests.length]).toEqual([2, 2]);
    });

    test('a picture whose put got no answer is found by whoever asks next', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const flags = { backend: scene.name, chartsApiMode: 'real', cacheTtl: '5m' };
      const bucket = scene.name === 'gcp' && { chartsBucket: BUCKET };
      const config = await parseWorkerConfig({ ...flags, ...bucket }, scene.env, scene.cwd);
      const logger = new Logger(() => undefined);
      const worker = await openWorker(config, 'write', logger);
      const put: ArtifactStore['put'] = async (object) => {
        await worker.artifacts.put(object);
        throw new StoreUnavailable('no answer');
      };
      const deaf = new Proxy(worker.artifacts, {
        get: (store, name: keyof ArtifactStore) => {
          const method = name === 'put' ? put : store[name];
          return typeof method === 'function' ? method.bind(store) : method;
        },
      });
      const engineDeps: typeof worker.engineDeps = (context) => {
        return { ...worker.engineDeps(context), artifacts: deaf };
      };
      const unlucky = libraryOn({ ...worker, engineDeps }, config, logger);
      onTestFinished(() => unlucky.close());
      expect((await unlucky.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['GCS_WRITE_FAILED']);

      const library = await openOn(scene, onTestFinished);
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
      expect([scene.fake.requests.length, (await scene.pictures()).length]).toEqual([1, 1]);
      expect(await scene.count('chart_snapshots')).toBe(1);
    });

    test('a stop and a deadline end what is under way, and leave the chart to the next', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      scene.fake.faults.add({ fault: { act: 'hang' }, times: 2 });
      const library = await openOn(scene, onTestFinished);
      const stop = new AbortController();
      const generating = library.generate(DAX, stop.signal);
      await scene.fake.arrived(1);
      stop.abort(new Error('enough'));
      await expect(generating).rejects.toThrow('enough');

      const hasty = await openLibrary({ ...scene.options, timeoutSeconds: 0.5 });
      onTestFinished(() => hasty.close());
      const late = await hasty.generate(DAX, NEVER);
      expect(late).toMatchObject([
        { error: { code: 'CHART_API_FAILED', details: { reason: 'deadline' } } },
      ]);
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
      expect(await scene.usage()).toMatchObject({ usageToday: scene.fake.requests.length });
    });

    test('a failure answers everybody who waited for it; whoever asks later asks anew', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      const body = JSON.stringify({ message: 'Invalid Symbol' });
      scene.fake.faults.add({ fault: { act: 'answer', status: 422, body } });
      const orders = Array.from({ length: 5 }, () => library.generate(DAX, NEVER));
      const results = (await Promise.all(orders)).flat();
      expect(results.map(outcomeOf)).toEqual(Array(5).fill('CHART_API_FAILED'));
      expect(scene.fake.requests).toHaveLength(1);
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
    });

    test('a picture that somebody removed is rendered anew', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      const [made] = await library.generate(DAX, NEVER);
      if (made?.kind !== 'chart') throw new Error('no chart was made');
      expect(await library.snapshots.remove(made.snapshot.id, {})).toBe('removed');
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
    });

    test('on-demand work stops at 95 % and says until when; a step takes the rest', async ({
      onTestFinished,
    }) => {
      await onOneUtcDay(async () => {
        const accounts = [{ ...LIBRARY_ACCOUNT, dailyLimit: 20 }];
        const scene = await open(onTestFinished, { accounts });
        const events: LogEvent[] = [];
        const library = await openOn(scene, onTestFinished, (event) => events.push(event));
        const symbols = ['DAX', 'NDX', 'DJI', 'EURUSD', 'EURGBP'];
        const order = { symbols, timeframes: ['5m', '15m', '1h', '4h'] };
        const results = await library.generate(order, NEVER);
        const inStep = await step(scene);
        const calls = scene.fake.requests.length;
        const usage = await scene.usage();
        const view = await library.usage();
        return () => {
          expect(results.map(outcomeOf).sort()).toEqual([
            'RATE_LIMITED',
            ...Array(19).fill('chart-img'),
          ]);
          const refused = results.find(({ kind }) => kind === 'refused');
          expect(refused).toMatchObject({
            error: {
              message: expect.stringMatching(
                /^on-demand work stops for today at 19 of 20 charts: what is left, 1 chart, is for steps; a new day begins in \d+ h \d+ min, at 00:00 UTC$/,
              ),
              details: { resetsAt: expect.stringMatching(/T00:00:00\.000Z$/) },
            },
          });
          const warnings = events.filter(({ event }) => event === 'chart_api_quota_warning');
          expect(warnings).toHaveLength(4);
          expect(inStep).toBe(0);
          expect([calls, usage?.usageToday]).toEqual([20, 20]);
          expect(view.accounts).toMatchObject([
            { used: 20, warnsFrom: 16, stopsOnDemandAt: 19, leftOnDemand: 0, left: 0 },
          ]);
        };
      });
    });
  });
}

/** A step of one chart, by the command line; its exit code. */
async function step(scene: LibraryScene): Promise<number | null> {
  const file = await jsonFile(scene.cwd, 'flow_run.json', flowRun());
  const create = scene.name === 'gcp' ? ['--create-flow-run'] : [];
  const argv = ['run-local', '--flow-run-path', file, '--charts-api-mode', 'real', '--quiet'];
  const where = ['--templates-dir', bundled.templates, ...scene.flags, ...create];
  const { exitCode } = await runCli([...argv, ...where], scene);
  return exitCode;
}

describe('charts generate', () => {
  const local = LIBRARY_SCENES[0].open;
  const argv = ['charts', 'generate', '--charts-api-mode', 'real', '--timeframe', '4h'];

  test('tells of each chart, and of none that is missing exits 0', async ({ onTestFinished }) => {
    const scene = await local(onTestFinished, {});
    const some = await runCli([...argv, '--symbol', 'DAX,FOO', '--symbol', 'NDX'], scene);
    expect(some.exitCode).toBe(1);
    expect(some.stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^ok {6}DAX 4h ind_\S+ {2}\.worker-chart-export\/\S+\.png {2}\(1920×1080, /,
      ),
      expect.stringMatching(/^ {8}drawn at 1920×1080 instead of 1920×1200/),
      expect.stringMatching(/^failed {2}FOO 4h {2}SYMBOL_NOT_FOUND: /),
      expect.stringMatching(/^ok {6}NDX 4h /),
      expect.stringMatching(/^ {8}drawn at /),
      '2 of 3 charts',
      '',
    ]);
    const json = await runCli([...argv, '--symbol', 'DAX', '--json', '--out', 'dax.png'], scene);
    expect(json.exitCode).toBe(0);
    const { charts, ...tally } = JSON.parse(json.stdout);
    expect(tally).toEqual({ chartsCount: 1, failuresCount: 0 });
    expect(charts).toMatchObject([
      { status: 'stored', source: 'cache', snapshot: { symbol: 'DAX' } },
    ]);
    const copy = await readFile(join(scene.cwd, 'dax.png'));
    expect(copy).toEqual(await readFile(charts[0].localPath));
    expect(scene.fake.requests).toHaveLength(2);
  });

  test.for([
    [['--symbol', 'FOO'], 2, /^failed {2}FOO/],
    [['--symbol', 'DAX', '--timeframe', '7x', '--indicators', 'EMA_20'], 1, /1 of 2 charts/],
  ] as const)('%j exits %i', async ([flags, exit, words], { onTestFinished }) => {
    const scene = await local(onTestFinished, {});
    const { exitCode, stdout } = await runCli([...argv, ...flags], scene);
    expect([exitCode, words.test(stdout)]).toEqual([exit, true]);
  });

  test.for([
    [[], '--symbol is required'],
    [['--symbol', 'DAX', '--theme', 'pink'], '--theme: "pink" is not one of light, dark'],
    [['--symbol', 'DAX', '--trigger', 'whim'], '--trigger: "whim" is not one of manual'],
    [['--symbol', 'DAX', '--width', '300'], '--width: "300" is not a whole number from 400'],
    [['--symbol', 'DAX', '--indicators', 'RIS'], '--indicators: "RIS" is not an indicator'],
    [['--symbol', 'DAX', '--template', 'a', '--indicators', 'RSI'], 'exclude each other'],
    [['--symbol', 'DAX,NDX', '--out', 'x.png'], '--out: a file holds one chart'],
    [['--symbol', 'DAX', '--cache-ttl', '5'], '--cache-ttl: "5" is not a duration such as 30s'],
  ] as const)('%j exits 2: %s', async ([flags, words], { onTestFinished }) => {
    const scene = await local(onTestFinished, {});
    const { exitCode, stderr } = await runCli([...argv, ...flags, '--log-format', 'pretty'], scene);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(words)]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
