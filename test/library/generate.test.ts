import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundled } from '../../src/config/bundled.js';
import type { GivenFlags } from '../../src/config/options.js';
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
import { openWorker, type Worker } from '../../src/worker/worker.js';
import { emptyFolder, flowRun, jsonFile, runCli } from '../support/cli-run.js';
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

type Stores = Pick<Worker, 'artifacts' | 'documents'>;

/** In this process, before stores of which some methods are others. */
async function openDisturbed(
  scene: LibraryScene,
  onTestFinished: Cleanup,
  otherwise: (stores: Stores) => { [S in keyof Stores]?: Partial<Stores[S]> },
  more: GivenFlags = {},
): Promise<Library> {
  const flags = { backend: scene.name, chartsApiMode: 'real', cacheTtl: '5m', ...more };
  const bucket = scene.name === 'gcp' && { chartsBucket: BUCKET };
  const config = await parseWorkerConfig({ ...flags, ...bucket }, scene.env, scene.cwd);
  const logger = new Logger(() => undefined);
  const worker = await openWorker(config, 'write', logger);
  const { artifacts, documents } = otherwise(worker);
  const engineDeps: typeof worker.engineDeps = (context) => ({
    ...worker.engineDeps(context),
    artifacts: instead(worker.artifacts, artifacts),
    documents: instead(worker.documents, documents),
  });
  const library = libraryOn({ ...worker, engineDeps }, config, logger);
  onTestFinished(() => library.close());
  return library;
}

function instead<T extends object>(store: T, other: Partial<T> = {}): T {
  return new Proxy(store, {
    get: (_, name) => {
      const method = other[name as keyof T] ?? store[name as keyof T];
      return typeof method === 'function' ? method.bind(store) : method;
    },
  });
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
        ...(await of({ trigger: 'whim', generatedBy: 'x'.repeat(201) } as object)),
        ...(await of({ theme: 'pink', chartTemplateId: '../x' } as object)),
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
        expect.stringMatching(/^VALIDATION_FAILED: .*trigger: "whim" is not .*; generatedBy: /),
        expect.stringMatching(/^VALIDATION_FAILED: .*"..\/x" is no chart template id; theme: /),
      ]);
      const many = Array.from({ length: 201 }, (_, index) => `S${index}`);
      for (const wrong of [{ symbols: [] }, { symbols: 'DAX' }, { symbols: many }]) {
        await expect(of(wrong as object)).rejects.toThrow(/^symbols.*: /);
      }
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

    test('or is recorded by a prune, where nobody asks for it', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, {});
      const library = await openOn(scene, onTestFinished);
      await library.generate({ ...DAX, trigger: 'alert', generatedBy: 'a désk' }, NEVER);
      const known = await leaveUnknown(scene);
      const options = { purge: false, force: false };
      await library.snapshots.prune({ ...options, dryRun: true }, NEVER);
      expect(await library.snapshots.find(known.id)).toBeUndefined();
      await library.snapshots.prune({ ...options, dryRun: false }, NEVER);
      expect(await library.snapshots.find(known.id)).toEqual({ id: known.id, ...known.data });
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
      const scene = await open(onTestFinished, { latencyMs: 200 });
      const unlucky = await openDisturbed(scene, onTestFinished, ({ artifacts }) => ({
        artifacts: {
          put: async (object) => {
            await artifacts.put(object);
            throw new StoreUnavailable('no answer');
          },
        },
      }));
      const orders = Array.from({ length: 3 }, () => unlucky.generate(DAX, NEVER));
      const results = (await Promise.all(orders)).flat();
      expect(results.map(outcomeOf)).toEqual(Array(3).fill('GCS_WRITE_FAILED'));

      const library = await openOn(scene, onTestFinished);
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
      expect([scene.fake.requests.length, (await scene.pictures()).length]).toEqual([1, 1]);
      expect(await scene.count('chart_snapshots')).toBe(1);
    });

    test('a store that fails halfway ends the order; what is there by then is told of', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      const library = await openDisturbed(
        scene,
        onTestFinished,
        ({ documents }) => ({
          documents: {
            commit: (writes) => {
              const isLate =
                scene.fake.requests.length > 0 && /_leases/.test(writes[0]?.path ?? '');
              if (isLate && writes.length === 2) throw new StoreUnavailable('no answer');
              return documents.commit(writes);
            },
          },
        }),
        { concurrency: '1' },
      );
      const symbols = ['DAX', 'NDX', 'DJI'];
      const results = await library.generate({ ...DAX, symbols }, NEVER);
      expect(results.map(outcomeOf)).toEqual([
        ...['chart-img', 'INFRASTRUCTURE_ERROR', 'INFRASTRUCTURE_ERROR'],
      ]);
      expect(results[2]).toMatchObject({ error: { message: 'DJI 4h: not begun: no answer' } });
      // With nothing to tell of it is the store's failure alone.
      const nothing = library.generate({ ...DAX, symbols: ['DJI'] }, NEVER);
      await expect(nothing).rejects.toThrow(StoreUnavailable);
      expect(scene.fake.requests).toHaveLength(1);
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

    test('closing the library ends what is under way, and gives its key back', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      scene.fake.faults.add({ fault: { act: 'hang' }, times: 1 });
      const closing = await openLibrary(scene.options);
      const generating = closing.generate(DAX, NEVER);
      const ended = expect(generating).rejects.toThrow('the library was closed');
      await scene.fake.arrived(1);
      await closing.close();
      await ended;
      const library = await openOn(scene, onTestFinished);
      expect((await library.generate(DAX, NEVER)).map(outcomeOf)).toEqual(['chart-img']);
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

    test('what only its holder ran out of is no answer to those who waited', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      scene.fake.faults.add({ fault: { act: 'hang' }, times: 1 });
      const hasty = await openLibrary({ ...scene.options, timeoutSeconds: 1 });
      onTestFinished(() => hasty.close());
      const library = await openOn(scene, onTestFinished);
      const late = hasty.generate(DAX, NEVER);
      await scene.fake.arrived(1);
      const waiting = library.generate(DAX, NEVER);
      expect((await late).map(outcomeOf)).toEqual(['CHART_API_FAILED']);
      expect((await waiting).map(outcomeOf)).toEqual(['chart-img']);
    });

    test('an account that twice in a row says 429 in unknown words is spent for today', async ({
      onTestFinished,
    }) => {
      await onOneUtcDay(async () => {
        const scene = await open(onTestFinished, {});
        const library = await openOn(scene, onTestFinished);
        const body = JSON.stringify({ message: 'Come back later' });
        scene.fake.faults.add({ fault: { act: 'answer', status: 429, body }, times: 2 });
        const outcomes: string[] = [];
        for (const symbol of ['DAX', 'NDX', 'DJI']) {
          const results = await library.generate({ ...DAX, symbols: [symbol] }, NEVER);
          outcomes.push(...results.map(outcomeOf));
        }
        const usage = await scene.usage();
        return () => {
          expect(outcomes).toEqual(Array(3).fill('RATE_LIMITED'));
          expect(scene.fake.requests).toHaveLength(2);
          expect(usage).toHaveProperty('exhaustedOn');
        };
      });
    });

    test('a unit that another account spared comes back with the chart', async ({
      onTestFinished,
    }) => {
      await onOneUtcDay(async () => {
        const other = { ...LIBRARY_ACCOUNT, id: 'acc-2', apiKey: 'not-a-real-key-9876543210' };
        const accounts = [LIBRARY_ACCOUNT, { ...other, priority: 200 }];
        const scene = await open(onTestFinished, { accounts, latencyMs: 300 });
        scene.fake.faults.add({ fault: { act: 'answer', status: 401, body: '{}' }, times: 1 });
        // The second chart has reserved its unit when the first one finds that the key is bad.
        let first: Promise<unknown> = Promise.resolve();
        const leases = new Set<string>();
        const library = await openDisturbed(scene, onTestFinished, ({ documents }) => ({
          documents: {
            commit: async (writes) => {
              const result = await documents.commit(writes);
              const path = writes[0]?.path ?? '';
              const isNew = path.startsWith('chart_leases/') && !leases.has(path);
              if (isNew && leases.add(path).size === 2) await first;
              return result;
            },
          },
        }));
        const results = library.generate(DAX, NEVER);
        await scene.fake.arrived(1);
        first = results;
        const second = await library.generate({ ...DAX, symbols: ['NDX'] }, NEVER);
        const used = await Promise.all(accounts.map(({ id }) => scene.usage(id)));
        const outcomes = [...(await results), ...second].map(outcomeOf);
        return () => {
          expect(outcomes).toEqual(['chart-img', 'chart-img']);
          expect(used).toMatchObject([{ usageToday: 1 }, { usageToday: 2 }]);
        };
      });
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
    await runCli([...argv, '--symbol', 'DAX,NDX', '--out', 'all'], scene);
    expect((await readdir(join(scene.cwd, 'all'))).sort().map((name) => name.slice(15))).toEqual([
      ...['_DAX_4h_ind_EMA_20_EMA_50_EMA_200_RSI_Volume.png'],
      ...['_NDX_4h_ind_EMA_20_EMA_50_EMA_200_RSI_Volume.png'],
    ]);
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
    [['--symbol', 'DAX', '--template', '../x'], '--template: "../x" is no chart template id'],
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

describe('opening the library', () => {
  test.for([
    [{ mode: 'nope' }, /^mode: "nope" is not one of/],
    [{ mode: 'real' }, /name a file with accountsConfigPath, or set accounts$/],
    [{ mode: 'mock', concurrency: 0 }, /^concurrency: "0" is not a whole number/],
    [{ mode: 'mock', accounts: 'x' }, /^accounts: \(document\): is no list of accounts/],
    [
      { mode: 'mock', chartsBucket: 'x' },
      /^openLibrary knows no chartsBucket; its options are mode,/,
    ],
    [{ mode: 'mock', workspace: '/dev/null/x' }, /name another with workspace$/],
  ] as const)('%j is refused in words of its options', async ([options, words]) => {
    const refused = openLibrary(options as Parameters<typeof openLibrary>[0]);
    await expect(refused).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(words),
    });
    await refused.catch(({ message }) => expect(message).not.toMatch(/--[a-z]/));
  });
});

test('without a signal an order is made all the same', async ({ onTestFinished }) => {
  const workspace = await emptyFolder(onTestFinished);
  const library = await openLibrary({ mode: 'mock', workspace });
  const order = { symbols: ['BTCUSDT'], timeframes: ['1h'] };
  const [one] = await library.generate({ ...order, chartTemplateId: 'ctpl_price_ma1226_vol_v1' });
  expect(one).toMatchObject({ kind: 'chart', source: 'fixture' });
  await library.close();
});
