import { describe, expect, test } from 'vitest';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import type { Account } from '../../src/contracts/documents.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { TemplateFolders } from '../../src/documents/local/template-folders.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import { EngineScene } from '../support/engine-scene.js';
import { smallPng } from '../support/small-png.js';

const MIDNIGHT = Date.parse('2026-03-02T00:00:00Z');
const [BEFORE, AFTER] = ['2026-03-01', '2026-03-02'] as const;
const RUN_ID = '20251221-120000_BTCUSDT_demo';
const GUARD_MS = 5_000;
const CALL_MS = 200;
const CHARTS = [
  'ctpl_price_ma1226_vol_v1',
  'ctpl_price_rsi14_stochrsi_v1',
  'ctpl_price_psar_adi_v1',
];
const PNG = smallPng();

/** The world's time: it goes on only when somebody sleeps or a call takes its while. */
class World {
  nowMs: number;
  readonly #startMs: number;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  #busy = 0;
  #awaited: ReturnType<typeof setTimeout> | undefined;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
    this.#startMs = nowMs;
  }

  /** A worker's own clock, wrong by so much. */
  clock(offsetMs: number): Clock {
    return {
      ...systemClock,
      now: () => this.nowMs + offsetMs,
      monotonic: () => this.nowMs - this.#startMs,
      sleep: (ms, signal) => this.sleep(ms, signal),
      random: () => 0.5,
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((wake) => {
      const sleeper = { atMs: this.nowMs + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        wake();
      });
      this.#schedule();
    });
  }

  /** The same object, whose methods' time on the disk is none of the world's. */
  watched<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          const result = method.apply(target, args);
          if (!(result instanceof Promise)) return result;
          this.#busy++;
          return result.finally(() => this.#busy--);
        };
      },
    });
  }

  /** On with the time to the next sleeper's, once nothing is under way. */
  #schedule(): void {
    this.#awaited ??= setTimeout(() => {
      this.#awaited = undefined;
      if (this.#sleepers.length === 0) return;
      if (this.#busy === 0) {
        this.#sleepers.sort((a, b) => a.atMs - b.atMs);
        const next = this.#sleepers.shift();
        this.nowMs = Math.max(this.nowMs, next?.atMs ?? 0);
        next?.wake();
      }
      this.#schedule();
    }, 2);
  }
}

/** Counts at the moment of sending, by the store's time. */
function counting(world: World, calls: number[]): ChartProvider {
  return {
    foresee: async (charts) =>
      new Map(charts.map((chart) => [chart, { kind: 'call', source: 'chart-img' }])),
    render: async ({ signal }) => {
      calls.push(world.nowMs);
      await world.sleep(CALL_MS, signal);
      return { kind: 'answer', status: 200, body: PNG };
    },
  };
}

/** The store's own time in every reading, whatever the disk says. */
function timed(documents: DocumentStore, world: World): DocumentStore {
  return {
    read: async (wanted) => {
      const reading = await documents.read(wanted);
      return { readTimeMs: world.nowMs, get: (path) => reading.get(path) };
    },
    list: (collection, page) => documents.list(collection, page),
    commit: (writes) => documents.commit(writes),
  };
}

const ACCOUNT: Account = {
  id: 'acc-1',
  apiKey: 'not-a-real-key-0123456789',
  dailyLimit: 4,
  requestsPerSecond: 1,
  burst: 1,
};

async function sceneAt(
  startMs: number,
  onTestFinished: (undo: () => Promise<void>) => void,
  { limit = 4 }: { limit?: number } = {},
) {
  const world = new World(startMs);
  const calls: number[] = [];
  const requests = CHARTS.map((chartTemplateId) => ({ chartTemplateId }));
  const step = { inputs: { minImages: 1, requests } };
  const scene = await EngineScene.open(onTestFinished, step);
  const deps = (offsetMs: number): Partial<EngineDeps> => ({
    documents: timed(world.watched(scene.documents), world),
    artifacts: world.watched(scene.artifacts),
    templates: world.watched(new TemplateFolders([bundled.templates])),
    provider: counting(world, calls),
    accounts: [{ ...ACCOUNT, dailyLimit: limit }],
    clock: world.clock(offsetMs),
    settings: {
      ...{ concurrency: 2, timeoutMs: 540_000, leaseTtlMs: 90_000 },
      ...{ timezone: 'Etc/UTC', chartsApiMode: 'real', isLive: true },
    },
  });
  const usage = () => scene.document(paths.usage(ACCOUNT.id));
  return { world, calls, scene, deps, usage };
}

function sentOn(calls: readonly number[], day: string): number {
  return calls.filter((atMs) => new Date(atMs).toISOString().startsWith(day)).length;
}

function expectNoneAroundMidnight(calls: readonly number[]): void {
  for (const atMs of calls) {
    expect(Math.abs(atMs - MIDNIGHT), new Date(atMs).toISOString()).toBeGreaterThanOrEqual(
      GUARD_MS,
    );
  }
}

describe('midnight in the middle of a step', () => {
  test.for([-60_000, -10_000, -7_500, -6_500, -5_500, -5_000, -4_000, -1, 0, 3_000, 6_000])(
    'begun %i ms after it: each unit is of the day it is sent on',
    async (startMs, { onTestFinished }) => {
      const { calls, scene, deps, usage } = await sceneAt(MIDNIGHT + startMs, onTestFinished);
      const outcome = await scene.run({ deps: deps(0) });
      expect(outcome).toMatchObject({ reason: 'succeeded' });
      expect(calls).toHaveLength(CHARTS.length);
      expectNoneAroundMidnight(calls);
      const after = sentOn(calls, AFTER);
      const used = (await usage()) ?? {};
      const day = after > 0 ? AFTER : BEFORE;
      const usageToday = after > 0 ? after : CHARTS.length;
      expect(used).toMatchObject({ usageToday, windowStart: `${day}T00:00:00Z` });
    },
  );

  test('what is reserved for yesterday pays for nothing today', async ({ onTestFinished }) => {
    const started = await sceneAt(MIDNIGHT - 6_800, onTestFinished, { limit: 3 });
    const { calls, scene, deps, usage } = started;
    const beforeRead = async () => {
      if (started.world.nowMs < MIDNIGHT) return;
      const current = await usage();
      if (current?.windowStart === `${AFTER}T00:00:00Z`) return;
      const fields = [
        [['usageToday'], 2],
        [['windowStart'], `${AFTER}T00:00:00Z`],
      ] as const;
      await scene.documents.commit([{ kind: 'patch', path: paths.usage(ACCOUNT.id), fields }]);
    };
    const wrapped = deps(0);
    const documents = wrapped.documents as DocumentStore;
    const read: DocumentStore['read'] = async (wanted) => {
      await beforeRead();
      return documents.read(wanted);
    };
    const others = started.world.watched({ ...documents, read });
    await scene.run({ deps: { ...wrapped, documents: others } });
    expectNoneAroundMidnight(calls);
    expect(sentOn(calls, BEFORE)).toBeGreaterThan(0);
    expect(sentOn(calls, BEFORE)).toBeLessThan(CHARTS.length);
    expect(sentOn(calls, AFTER)).toBe(1);
    expect(await usage()).toMatchObject({ usageToday: 3 });
  });
});

describe('two workers whose clocks differ by two minutes', () => {
  test.for([
    [-30_000, [-120_000, 0]],
    [-30_000, [0, 120_000]],
    [-8_000, [-60_000, 60_000]],
    [-6_500, [-120_000, 0]],
    [-4_000, [0, 120_000]],
    [10_000, [-120_000, 0]],
    [10_000, [-60_000, 60_000]],
  ] as const)(
    'begun %i ms after midnight, off by %j: within the limit on both days',
    async ([startMs, offsets], { onTestFinished }) => {
      const limit = 4;
      const begun = await sceneAt(MIDNIGHT + startMs, onTestFinished, { limit });
      const { calls, scene, deps, usage } = begun;
      const second = '20251221-120000_BTCUSDT_other';
      const data = { ...(await scene.document(paths.flowRun(RUN_ID))), runId: second };
      await scene.documents.commit([{ kind: 'put', path: paths.flowRun(second), data }]);
      const runIds = [RUN_ID, second];
      await Promise.all(
        offsets.map((offsetMs, index) =>
          scene.run({ runId: String(runIds[index]), deps: deps(offsetMs) }),
        ),
      );
      expectNoneAroundMidnight(calls);
      const [before, after] = [sentOn(calls, BEFORE), sentOn(calls, AFTER)];
      expect(before + after).toBe(calls.length);
      expect(before).toBeLessThanOrEqual(limit);
      expect(after).toBeLessThanOrEqual(limit);
      // Six are wanted: whoever has only one day for them comes to its limit.
      expect(calls.length).toBeGreaterThanOrEqual(limit);
      const last = after > 0 ? { day: AFTER, sent: after } : { day: BEFORE, sent: before };
      expect(await usage()).toMatchObject({
        usageToday: last.sent,
        windowStart: `${last.day}T00:00:00Z`,
      });
    },
  );
});
