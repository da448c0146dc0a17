import { describe, expect, test, vi } from 'vitest';
import { FunctionInstance } from '../../src/cloud-event/function-instance.js';
import type { CallName } from '../support/firestore-call-names.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { FunctionScene, RUN_ID, type SceneOptions } from '../support/function-scene.js';
import type { Event, FunctionServer } from '../support/function-server.js';
import { binaryEvent, messageOf } from '../support/saved-events.js';
import { share } from '../support/share.js';
import { onOneUtcDay } from '../support/step-scene.js';

vi.setConfig({ maxConcurrency: 3 });

const STEP_ID = 'charts:test';
const CHARTS = 3;
const EVENT: Event = { id: 'e-1', runId: RUN_ID };
/** Cloud Run kills after 10 s. */
const GONE_MS = 9_000;

interface Moment {
  readonly name: string;
  /** Sends SIGTERM then; it may be told of by a request that waits for it. */
  readonly at: (scene: FunctionScene, terminate: () => Promise<unknown>) => Promise<void>;
  readonly scene?: SceneOptions;
  /** What the dying instance leaves. */
  readonly left: {
    readonly answer: 204 | 503;
    readonly status: 'READY' | 'RUNNING' | 'SUCCEEDED';
    readonly charts: number;
    readonly calls: number;
  };
  /** Calls in all, when the next delivery has done the rest; one a chart unless said otherwise. */
  readonly callsInAll?: number;
}

const given = (charts: number, calls = charts) =>
  ({ answer: 503, status: 'RUNNING', charts, calls }) as const;
const FINAL = { answer: 204, status: 'SUCCEEDED', charts: CHARTS, calls: CHARTS } as const;

/** The chart arrives when the signal has long been taken. */
const IN_FLIGHT_MS = 700;

function duringCall(nth: number): Moment['at'] {
  return async ({ fake }, terminate) => {
    fake.faults.add({ nth, fault: { act: 'delay', ms: IN_FLIGHT_MS } });
    await fake.arrived(nth);
    await terminate();
  };
}

/** The first of this name, before Firestore sees it or with its answer on the way. */
function atCall(name: CallName, when: 'before' | 'applied'): Moment['at'] {
  return async ({ proxy }, terminate) => proxy.at(name, 1, { [when]: terminate });
}

function duringUpload(nth: number): Moment['at'] {
  return async ({ gcp }, terminate) => {
    const fault = { act: 'hook', when: 'before', hook: terminate } as const;
    gcp.storage.faults.add({ kind: 'put', nth, fault });
  };
}

const MOMENTS: readonly Moment[] = [
  {
    name: 'before the claim',
    at: atCall('read', 'applied'),
    left: { answer: 503, status: 'READY', charts: 0, calls: 0 },
  },
  {
    name: 'after the claim',
    at: atCall('claim', 'applied'),
    left: given(0),
  },
  { name: 'during the first call', at: duringCall(1), left: given(1) },
  { name: 'during the second call', at: duringCall(2), left: given(2) },
  { name: 'during the last call', at: duringCall(3), left: FINAL },
  {
    name: 'while the next chart waits for its turn',
    scene: { pace: { requestsPerSecond: 0.05, burst: 1 } },
    at: async ({ gcp }, terminate) => {
      await gcp.storage.arrived('put', 1);
      await terminate();
    },
    left: given(1),
  },
  { name: 'during the first upload', at: duringUpload(1), left: given(1) },
  { name: 'during the last upload', at: duringUpload(3), left: FINAL },
  { name: 'during the upload of the manifest', at: duringUpload(4), left: FINAL },
  {
    name: 'before the settle',
    at: atCall('settle', 'before'),
    left: FINAL,
  },
  {
    name: 'when the settle is applied',
    at: atCall('settle', 'applied'),
    left: FINAL,
  },
  {
    name: 'during a call that never ends',
    at: async ({ fake }, terminate) => {
      fake.faults.add({ nth: 2, fault: { act: 'hang' } });
      await fake.arrived(2);
      await terminate();
    },
    left: given(1, 2),
    callsInAll: CHARTS + 1,
  },
];
const NAMED = MOMENTS.map((moment) => [moment.name, moment] as const);

describe.skipIf(whyNoEmulator)(`SIGTERM ${whyNoEmulator}`, () => {
  describe.concurrent('in time leaves a step that the next delivery finishes:', () => {
    test.for(share(NAMED))('%s', async ([, moment], { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await FunctionScene.open(onTestFinished, moment.scene);
        await scene.writeRun([STEP_ID], { charts: CHARTS });
        const server = await scene.serve();
        const { status } = await terminatedAt(scene, server, moment);
        const left = await whatIsLeft(scene);
        // It pays for nothing that is stored; what waits for its turn is not waited for here.
        const next = await nextInstance(scene).deliver(messageOf(binaryEvent(EVENT.runId, EVENT)));
        return async () => {
          const { answer, charts, calls } = moment.left;
          const { lease, unitsUsed, ...seen } = left;
          expect(status).toBe(answer);
          expect(seen).toEqual({ status: moment.left.status, charts, calls });
          expect(unitsUsed).toBe(calls);
          const states = { READY: undefined, RUNNING: 'RELEASED', SUCCEEDED: 'DONE' } as const;
          expect(lease?.state).toBe(states[moment.left.status]);

          expect(next.answer).toBe(204);
          expect(await scene.step(STEP_ID)).toMatchObject({ status: 'SUCCEEDED' });
          expect(await scene.lease(STEP_ID)).toMatchObject({ state: 'DONE', attempt: 1 });
          expect(scene.charts(STEP_ID)).toBe(CHARTS);
          const { callsInAll = CHARTS } = moment;
          expect(scene.fake.requests).toHaveLength(callsInAll);
          expect(await scene.unitsUsed()).toBe(callsInAll);
          expect(scene.proxy.count('settle', 200)).toBe(1);
          expect(scene.gcp.storage.violations).toEqual([]);
        };
      });
    });
  });

  test('ends an instance that has nothing to do at once, whether it ever had or not', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    const [fresh, used] = await Promise.all([scene.serve(), scene.serve()]);
    // Nobody's run: there is no such document.
    expect(await used.deliver(EVENT)).toMatchObject({ status: 204 });
    for (const server of [fresh, used]) {
      server.kill('SIGTERM');
      expect(await server.ended).toMatchObject({ exitCode: 0, signal: null });
      expect((await server.ended).afterMs).toBeLessThan(GONE_MS / 3);
    }
  });
});

/** Has it do the step, and end at the moment; resolves when the process is gone. */
async function terminatedAt(scene: FunctionScene, server: FunctionServer, moment: Moment) {
  let told: Promise<unknown> | undefined;
  const terminate = () => {
    server.kill('SIGTERM');
    told = server.event('instance_ending');
    return told;
  };
  const isThere = moment.at(scene, terminate);
  const answered = await server.deliver(EVENT);
  await isThere;
  const { exitCode, signal, afterMs } = await server.ended;
  expect([exitCode, signal], server.stderr).toEqual([0, null]);
  expect(afterMs).toBeLessThan(GONE_MS);
  await told;
  // Nothing was begun after it.
  const ending = server.log.findIndex(({ event }) => event === 'instance_ending');
  const begun = server.log.slice(ending).filter(({ event }) => event === 'chart_api_call_start');
  expect(ending).toBeGreaterThan(0);
  expect(begun).toEqual([]);
  return answered;
}

async function whatIsLeft(scene: FunctionScene) {
  return {
    status: (await scene.step(STEP_ID))?.status,
    charts: scene.charts(STEP_ID),
    calls: scene.fake.requests.length,
    lease: await scene.lease(STEP_ID),
    unitsUsed: await scene.unitsUsed(),
  };
}

/** The function in this process. */
function nextInstance({ env, gcp }: FunctionScene): FunctionInstance {
  const pace = { requestsPerSecond: 100_000, burst: 100_000 };
  const accounts = JSON.parse(env.CHART_IMG_ACCOUNTS_JSON ?? '').map((account: object) => ({
    ...account,
    ...pace,
  }));
  return new FunctionInstance({
    env: { ...env, CHART_IMG_ACCOUNTS_JSON: JSON.stringify(accounts) },
    cwd: gcp.cwd,
    write: () => undefined,
  });
}
