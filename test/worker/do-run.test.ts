import { describe, expect, test } from 'vitest';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { timeFor } from '../../src/worker/do-run.js';
import { chartStep, told, WorkerScene } from '../support/worker-scene.js';

const HOURLY = 'charts:1H:a';
const DAILY = 'charts:1D:b';
/** In ascending order; the ids' own is the other way around. */
const TWO_STEPS = {
  [HOURLY]: chartStep(),
  [DAILY]: chartStep({ timeframe: '1d' }),
};

/** Draws nothing of that interval until it is cut. */
function neverDraws(interval: string, { provider }: { provider: ChartProvider }) {
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const silent: ChartProvider = {
    foresee: (charts) => provider.foresee(charts),
    render: (call) => {
      if (call.chart.interval !== interval) return provider.render(call);
      isAsked();
      return new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
      });
    },
  };
  return { provider: silent, asked };
}

/** Time that passes only when it is told to; short naps apart, which are the engine's own. */
function handMoved() {
  let passedMs = 0;
  const naps: { readonly untilMs: number; readonly wake: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + passedMs,
    sleep: (ms, signal) => {
      if (ms < 10_000) return systemClock.sleep(ms, signal);
      return new Promise((wake) => {
        naps.push({ untilMs: passedMs + ms, wake });
        signal?.addEventListener('abort', () => wake(), { once: true });
      });
    },
  };
  const pass = (ms: number) => {
    passedMs += ms;
    for (const nap of naps) if (nap.untilMs <= passedMs) nap.wake();
  };
  return { clock, pass };
}

describe('the steps of a run', () => {
  test('are all done, in ascending order of their ids', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    const outcomes = await scene.doRun({}, {}, { eventId: 'event-1' });
    expect(told(outcomes)).toEqual([`succeeded ${DAILY}`, `succeeded ${HOURLY}`, 'all-succeeded']);
    expect(await scene.statuses()).toEqual({ [HOURLY]: 'SUCCEEDED', [DAILY]: 'SUCCEEDED' });
    expect(await scene.lease(HOURLY)).toMatchObject({ state: 'DONE', eventId: 'event-1' });
  });

  test('that wait for one another are done within one call', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, {
      'charts:a': chartStep({ dependsOn: ['charts:b'] }),
      'charts:b': chartStep({ dependsOn: ['charts:c'] }),
      'charts:c': chartStep(),
    });
    expect(told(await scene.doRun())).toEqual([
      'succeeded charts:c',
      'succeeded charts:b',
      'succeeded charts:a',
      'all-succeeded',
    ]);
  });

  test('go on behind one that failed, and not behind what waits for it', async ({
    onTestFinished,
  }) => {
    const requests = [{ chartTemplateId: 'ctpl_none_v1' }];
    const scene = await WorkerScene.open(onTestFinished, {
      'charts:a': chartStep({ inputs: { requests } }),
      'charts:b': chartStep(),
      'charts:c': chartStep({ dependsOn: ['charts:a'] }),
      'charts:d': chartStep({ dependsOn: ['_absent'] }),
    });
    const outcomes = await scene.doRun();
    expect(told(outcomes)).toEqual(['failed charts:a', 'succeeded charts:b', 'nothing-eligible']);
    expect(await scene.statuses()).toEqual({
      'charts:a': 'FAILED',
      'charts:b': 'SUCCEEDED',
      'charts:c': 'READY',
      'charts:d': 'READY',
    });
  });

  test('are done by one of two who come at the same time', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    const both = await Promise.all([scene.doRun(), scene.doRun()]);
    const done = both.flatMap(told).filter((words) => words.startsWith('succeeded'));
    expect(done.sort()).toEqual([`succeeded ${DAILY}`, `succeeded ${HOURLY}`]);
  });

  test('are not begun any more once the process ends', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    const outcomes = await scene.doRun({ signal: AbortSignal.abort() });
    expect(outcomes).toMatchObject([{ reason: 'interrupted', claimed: false }]);
    expect(await scene.statuses()).toEqual({ [HOURLY]: 'READY', [DAILY]: 'READY' });
  });
});

describe('when the time is over', () => {
  test('the first step fails what it could not draw', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    const { clock, pass } = handMoved();
    const { provider, asked } = neverDraws('1D', scene.worker.engineDeps({ ...idle(scene) }));
    const running = scene.doRun(timeFor(100_000), { clock, provider });
    await asked;
    pass(100_000);
    const outcomes = await running;
    expect(told(outcomes)).toEqual([`failed ${DAILY}`, `planned ${HOURLY}`]);
    expect(outcomes[0]).toMatchObject({ error: { details: { reason: 'deadline' } } });
    expect(await scene.statuses()).toEqual({ [HOURLY]: 'READY', [DAILY]: 'FAILED' });
  });

  test.for([
    ['a later step', {}, [`succeeded ${DAILY}`, `interrupted ${HOURLY}`], '1h'],
    ['the first step of a later run', { isLater: true }, [`interrupted ${DAILY}`], '1D'],
  ] as const)(
    '%s is given back, and goes on the next time',
    async ([, request, expected, interval], { onTestFinished }) => {
      const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
      const { clock, pass } = handMoved();
      const { provider, asked } = neverDraws(interval, scene.worker.engineDeps(idle(scene)));
      const running = scene.doRun(timeFor(100_000), { clock, provider }, request);
      await asked;
      pass(100_000);
      expect(told(await running)).toEqual(expected);
      const stepId = interval === '1h' ? HOURLY : DAILY;
      expect(await scene.statuses()).toMatchObject({ [stepId]: 'RUNNING' });
      expect(await scene.lease(stepId)).toMatchObject({ state: 'RELEASED', attempt: 1 });

      await scene.doRun();
      expect(await scene.statuses()).toEqual({ [HOURLY]: 'SUCCEEDED', [DAILY]: 'SUCCEEDED' });
      expect(await scene.lease(stepId)).toMatchObject({ state: 'DONE', attempt: 1 });
    },
  );

  test('a step for which too little is left is not begun: the last outcome says so', async ({
    onTestFinished,
  }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    const { clock, pass } = handMoved();
    const { documents } = scene.worker;
    const slow = {
      ...documents,
      read: documents.read.bind(documents),
      list: documents.list.bind(documents),
      commit: (writes: Parameters<typeof documents.commit>[0]) => {
        pass(30_000);
        return documents.commit(writes);
      },
    };
    const outcomes = await scene.doRun(timeFor(70_000), { clock, documents: slow });
    expect(told(outcomes)).toEqual([`succeeded ${DAILY}`, `planned ${HOURLY}`]);
    expect(await scene.statuses()).toEqual({ [HOURLY]: 'READY', [DAILY]: 'SUCCEEDED' });
    expect(await scene.lease(HOURLY)).toBeUndefined();
  });

  test('no step is begun at all when it was over before', async ({ onTestFinished }) => {
    const scene = await WorkerScene.open(onTestFinished, TWO_STEPS);
    expect(told(await scene.doRun(timeFor(0.001)))).toEqual([`planned ${DAILY}`]);
    expect(await scene.statuses()).toEqual({ [HOURLY]: 'READY', [DAILY]: 'READY' });
  });
});

function idle({ logger }: WorkerScene) {
  return { logger, signal: new AbortController().signal };
}
