import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { FunctionScene, RUN_ID } from '../support/function-scene.js';
import type { Event, FunctionServer } from '../support/function-server.js';
import { seeded } from '../support/seeded.js';
import { ALL_CASES, PROVING } from '../support/share.js';
import { onOneUtcDay } from '../support/step-scene.js';

const SERVERS = 3;
const EVENTS = PROVING ? 40 : 16;
const TWICE = PROVING ? 10 : 4;
const STEPS = ['charts:a', 'charts:b', 'charts:c', 'charts:d', 'charts:e'];
const CHARTS = 2;
const ROUNDS = ALL_CASES ? 8 : 1;
/** The queue's pause before it delivers again, which is 10 s in production. */
const PAUSE_MS = 150;

/** Eventarc: delivers each event until it is acknowledged, to whichever server. */
class Queue {
  readonly answers: number[] = [];
  readonly #servers: readonly FunctionServer[];
  readonly #random: () => number;
  readonly #open = new Set<Promise<void>>();

  constructor(servers: readonly FunctionServer[], random: () => number) {
    this.#servers = servers;
    this.#random = random;
  }

  push(event: Event): void {
    const delivered = this.#deliver(event).finally(() => this.#open.delete(delivered));
    this.#open.add(delivered);
  }

  /** Resolves once nothing is left to deliver. */
  async empty(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  async #deliver(event: Event): Promise<void> {
    for (;;) {
      const [server] = this.shuffled(this.#servers);
      const { status } = await (server as FunctionServer).deliver(event);
      this.answers.push(status);
      if (status === 204) return;
      await sleep(PAUSE_MS);
    }
  }
}

/** The trigger: an event for each write of a run that a worker makes. */
async function echo({ proxy }: FunctionScene, name: 'claim' | 'settle', queue: Queue, from = 0) {
  for (let nth = from + 1; ; nth++) {
    await proxy.answered(name, nth);
    const isApplied = proxy.calls.some(
      (call) => call.name === name && call.nth === nth && call.status === 200,
    );
    if (isApplied) queue.push({ id: `${name}-${nth}`, runId: RUN_ID });
  }
}

describe.skipIf(whyNoEmulator)(`events for one run, all at once ${whyNoEmulator}`, () => {
  test(`${EVENTS + TWICE} to ${SERVERS} servers: each step is done exactly once, ${ROUNDS} rounds`, async ({
    onTestFinished,
  }) => {
    for (let round = 0; round < ROUNDS; round++) {
      await onOneUtcDay(async () => {
        const scene = await FunctionScene.open(onTestFinished, { latencyMs: 30 });
        const servers = await Promise.all(
          Array.from({ length: SERVERS }, () => scene.serve({ env: { CHARTS_CONCURRENCY: '2' } })),
        );
        const queue = new Queue(servers, seeded(round));
        // The last waits for the second: who settles that one, or the event of it, goes on with it.
        const dependsOn = { 'charts:e': ['charts:b'] };
        await scene.writeRun(STEPS, { charts: CHARTS, dependsOn });
        void echo(scene, 'claim', queue);
        void echo(scene, 'settle', queue);
        const events = Array.from({ length: EVENTS }, (_, n) => ({ id: `e-${n}`, runId: RUN_ID }));
        for (const event of queue.shuffled([...events, ...events.slice(0, TWICE)])) {
          queue.push(event);
        }
        await queue.empty();

        return async () => {
          const { log, said } = logOf(servers);
          expect(said).toBe('');
          // At least each of the events, and of the writes.
          expect(queue.answers.length).toBeGreaterThanOrEqual(EVENTS + TWICE + 2 * STEPS.length);
          expect(new Set([204, 503, ...queue.answers])).toEqual(new Set([204, 503]));
          for (const stepId of STEPS) {
            const ofStep = log.filter((line) => line.stepId === stepId);
            const claims = ofStep.filter(
              ({ event, claimed }) => event === 'claim_attempt' && claimed,
            );
            expect(claims, stepId).toHaveLength(1);
            const ends = ofStep.filter(({ event }) => event === 'step_completed');
            expect(ends, stepId).toMatchObject([{ status: 'SUCCEEDED', itemsCount: CHARTS }]);
            expect(await scene.step(stepId)).toMatchObject({ status: 'SUCCEEDED' });
            expect(await scene.lease(stepId)).toMatchObject({ state: 'DONE', attempt: 1 });
            expect(scene.objects(stepId)).toHaveLength(CHARTS + 1);
          }
          const { proxy } = scene;
          expect([proxy.count('claim', 200), proxy.count('settle', 200)]).toEqual([
            STEPS.length,
            STEPS.length,
          ]);
          expect(Object.values(scene.calls)).toEqual(Array(STEPS.length * CHARTS).fill(1));
          expect(await scene.unitsUsed()).toBe(STEPS.length * CHARTS);
          // Else they did not meet: somebody lost a claim, or found a step held.
          const waiting = log.filter(({ event }) => event === 'cloud_event_noop');
          expect(waiting.length).toBeGreaterThan(0);

          await expectNoops(scene, queue, servers);
        };
      });
    }
  });
});

/** The run is final: what comes late, and what the workers' own last writes lead to, does nothing. */
async function expectNoops(
  scene: FunctionScene,
  queue: Queue,
  servers: readonly FunctionServer[],
): Promise<void> {
  const { writes } = scene;
  const answers = queue.answers.length;
  const noops = logOf(servers).log.filter(({ event }) => event === 'cloud_event_noop').length;
  const late = Array.from({ length: 2 * STEPS.length }, (_, n) => `late-${n}`);
  for (const id of late) queue.push({ id, runId: RUN_ID });
  await queue.empty();
  expect(queue.answers.slice(answers)).toEqual(late.map(() => 204));
  const now = logOf(servers).log.filter(({ event }) => event === 'cloud_event_noop').length;
  expect(now - noops).toBe(late.length);
  expect(scene.writes).toBe(writes);
  expect(scene.fake.requests).toHaveLength(STEPS.length * CHARTS);
  expect(scene.gcp.storage.violations).toEqual([]);
}

function logOf(servers: readonly FunctionServer[]) {
  const log = servers.flatMap((server) => server.log);
  return { log, said: servers.map((server) => server.stderr).join('') };
}
