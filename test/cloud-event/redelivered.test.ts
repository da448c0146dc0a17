import { describe, expect, test } from 'vitest';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { FunctionScene, RUN_ID } from '../support/function-scene.js';
import type { FunctionServer } from '../support/function-server.js';
import { onOneUtcDay } from '../support/step-scene.js';

const [A, B, C] = ['charts:a', 'charts:b', 'charts:c'] as const;
const ONE = { id: 'e-1', runId: RUN_ID };
const OTHER = { id: 'e-2', runId: RUN_ID };
/** Of an invocation; the least that a step is begun with is a quarter of it. */
const SHORT = { CHARTS_TIMEOUT_SECONDS: '5' };

describe.skipIf(whyNoEmulator)(`an event delivered again ${whyNoEmulator}`, () => {
  test('after its worker was killed: the queue waits for the lease, and the rest is done meanwhile', async ({
    onTestFinished,
  }) => {
    await onOneUtcDay(async () => {
      const scene = await FunctionScene.open(onTestFinished);
      await scene.writeRun([A, B], { charts: 2 });
      const [first, second] = await Promise.all([scene.serve(), scene.serve()]);
      // The second chart of the first step.
      scene.fake.faults.add({ nth: 2, fault: { act: 'hang' } });
      const cut = first.deliver(ONE).catch((error: Error) => error);
      await scene.fake.arrived(2);
      first.kill('SIGKILL');
      expect(await cut).toBeInstanceOf(Error);
      const held = await scene.lease(A);
      expect(held).toMatchObject({ state: 'ACTIVE', attempt: 1, eventId: ONE.id });

      const again = await second.deliver(ONE);
      const stepsThen = [await scene.step(A), await scene.step(B)];
      const other = await second.deliver(OTHER);
      const heldThen = await scene.lease(A);
      const third = await second.deliver(ONE);
      const callsThen = scene.calls;
      await scene.expireLease(A);
      const last = await second.deliver(ONE);

      return async () => {
        expect([again.status, other.status, third.status, last.status]).toEqual([
          503, 204, 503, 204,
        ]);
        expect(stepsThen).toMatchObject([{ status: 'RUNNING' }, { status: 'SUCCEEDED' }]);
        expect(heldThen).toEqual(held);
        expect(callsThen).toEqual({ '1m 1': 1, '1m 2': 1, '5m 1': 1, '5m 2': 1 });
        expect(await scene.step(A)).toMatchObject({ status: 'SUCCEEDED' });
        const { claimId } = held ?? {};
        expect(await scene.lease(A)).toMatchObject({ state: 'DONE', attempt: 2, claimId });
        // The one that was stored is not paid for again.
        expect(scene.calls).toEqual({ ...callsThen, '1m 2': 2 });
        // The dead one may still have been sending: its units stay counted.
        expect(await scene.unitsUsed()).toBe(scene.fake.requests.length);
        expect(scene.charts(A)).toBe(2);
      };
    });
  });

  test('while its first delivery is at work, whose caller has gone: that goes on, and ends the step', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    await scene.writeRun([A], { charts: 2 });
    const server = await scene.serve();
    scene.fake.faults.add({ nth: 1, fault: { act: 'delay', ms: 1_500 } });
    const caller = new AbortController();
    const gone = server.deliver(ONE, caller.signal).catch((error: Error) => error);
    await scene.fake.arrived(1);
    caller.abort();
    expect(await gone).toMatchObject({ name: 'AbortError' });

    expect(await server.deliver(ONE)).toMatchObject({ status: 503 });
    expect(await server.deliver(OTHER)).toMatchObject({ status: 204 });
    await server.event('step_completed');
    expect(await server.deliver(ONE)).toMatchObject({ status: 204 });
    expect(await scene.step(A)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await scene.lease(A)).toMatchObject({ state: 'DONE', attempt: 1 });
    expect(scene.calls).toEqual({ '1m 1': 1, '1m 2': 1 });
    // Nobody waits for an answer that cannot be given.
    server.kill('SIGTERM');
    const { exitCode, afterMs } = await server.ended;
    expect(exitCode).toBe(0);
    expect(afterMs).toBeLessThan(4_000);
  });
});

describe.skipIf(whyNoEmulator)(
  `the time of an invocation ${whyNoEmulator}`,
  { concurrent: true },
  () => {
    test('is over in its second step: that is given back, and goes on from what is stored', async ({
      onTestFinished,
    }) => {
      await onOneUtcDay(async () => {
        const scene = await FunctionScene.open(onTestFinished);
        await scene.writeRun([A, B, C], { charts: 2 });
        const server = await warm(scene);
        scene.fake.faults.add({ nth: 4, fault: { act: 'hang' } });
        const first = await server.deliver(ONE);
        const leaseThen = await scene.lease(B);
        const stepsThen = await Promise.all([A, B, C].map((id) => scene.step(id)));
        const unitsThen = await scene.unitsUsed();
        const second = await server.deliver(ONE);
        return async () => {
          expect([first.status, second.status]).toEqual([503, 204]);
          expect(stepsThen).toMatchObject([
            { status: 'SUCCEEDED' },
            { status: 'RUNNING' },
            { status: 'READY' },
          ]);
          expect(leaseThen).toMatchObject({ state: 'RELEASED', attempt: 1 });
          expect(unitsThen).toBe(4);
          for (const stepId of [A, B, C]) {
            expect(await scene.step(stepId)).toMatchObject({ status: 'SUCCEEDED' });
            expect(await scene.lease(stepId)).toMatchObject({ state: 'DONE', attempt: 1 });
            expect(scene.charts(stepId)).toBe(2);
          }
          // The one that was cut, twice.
          const once = { '1m 1': 1, '1m 2': 1, '5m 1': 1, '15m 1': 1, '15m 2': 1 };
          expect(scene.calls).toEqual({ ...once, '5m 2': 2 });
          expect(await scene.unitsUsed()).toBe(7);
        };
      });
    });

    test('is over in its first step: that fails what is not there, and no other is begun', async ({
      onTestFinished,
    }) => {
      const scene = await FunctionScene.open(onTestFinished);
      await scene.writeRun([A, B], { charts: 2 });
      const server = await warm(scene);
      scene.fake.faults.add({ nth: 2, fault: { act: 'hang' } });
      expect(await server.deliver(ONE)).toMatchObject({ status: 503 });
      const details = { reason: 'deadline', chartTemplateId: 'ctpl_2' };
      expect(await scene.step(A)).toMatchObject({
        status: 'FAILED',
        error: { code: 'CHART_API_FAILED', details },
      });
      expect(await scene.lease(A)).toMatchObject({ state: 'DONE' });
      expect(await scene.step(B)).toMatchObject({ status: 'READY' });
      expect(await scene.lease(B)).toBeUndefined();

      expect(await server.deliver(ONE)).toMatchObject({ status: 204 });
      expect(await scene.step(A)).toMatchObject({ status: 'FAILED' });
      expect(await scene.step(B)).toMatchObject({ status: 'SUCCEEDED' });
      expect(scene.calls).toEqual({ '1m 1': 1, '1m 2': 1, '5m 1': 1, '5m 2': 1 });
    });
  },
);

/** A server whose time does not go into its first connections. */
async function warm(scene: FunctionScene): Promise<FunctionServer> {
  const server = await scene.serve({ env: SHORT });
  const nobody = { id: 'e-0', runId: '20251221-120000_BTCUSDT_none' };
  expect(await server.deliver(nobody)).toMatchObject({ status: 204 });
  return server;
}
