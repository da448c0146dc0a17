import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import type { DocumentStore, Write } from '../../src/documents/document-store.js';
import { paths } from '../../src/documents/paths.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { runStep } from '../../src/engine/run-step.js';
import { runOf, stepRequest } from '../support/engine-samples.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { depsIn, putsLease, putTemplates, runOfSteps } from '../support/gcp-deps.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { smallPng } from '../support/small-png.js';
import { onOneUtcDay } from '../support/step-scene.js';

const STEP_ID = 'charts:1H:count';

type OnTestFinished = (undo: () => Promise<void>) => void;

interface Counted {
  readonly outcome: StepOutcome;
  /** Every Firestore call in order: `read 3`, `commit lease,run`. */
  readonly calls: readonly string[];
  readonly scene: GcpScene;
  /** What Node would have written between the log lines. */
  readonly warnings: readonly Error[];
}

/** Calls of the store as they go out; `before` comes between a caller and its commit. */
function counting(
  documents: DocumentStore,
  before: (writes: readonly Write[]) => Promise<void> = async () => undefined,
) {
  const calls: string[] = [];
  const counted: DocumentStore = {
    read: (wanted) => {
      calls.push(`read ${wanted.length}`);
      return documents.read(wanted);
    },
    list: (collection, page) => {
      calls.push(`list ${collection}`);
      return documents.list(collection, page);
    },
    commit: async (writes) => {
      await before(writes);
      calls.push(`commit ${writes.length}`);
      return documents.commit(writes);
    },
  };
  return { documents: counted, calls };
}

/** Templates, fixtures and accounts as many as wanted, and one READY step that needs them all. */
async function prepare(charts: number, accounts: number, onTestFinished: OnTestFinished) {
  const scene = await GcpScene.open(onTestFinished);
  const templates = Array.from({ length: charts }, (_, i) => `ctpl_made_${i}`);
  await putTemplates(scene, templates);
  const png = smallPng(400, 300);
  await Promise.all(
    templates.map((id) => writeFile(join(scene.cwd, `BINANCE_BTCUSDT__1h__${id}.png`), png)),
  );
  const perAccount = Math.ceil(charts / accounts);
  const made = Array.from({ length: accounts }, (_, i) => ({
    id: `acc-${i}`,
    apiKey: `not-a-real-key-of-${i}`,
    // So that a large step needs every one of them.
    dailyLimit: perAccount,
  }));
  return { scene, templates, accounts: made };
}

async function countStep(
  charts: number,
  accounts: number,
  onTestFinished: OnTestFinished,
  disturb?: (runId: string, writes: readonly Write[], scene: GcpScene) => Promise<void>,
): Promise<Counted> {
  const runId = '20251221-120000_BTCUSDT_count';
  const prepared = await prepare(charts, accounts, onTestFinished);
  const { scene } = prepared;
  const data = runOfSteps(runId, [STEP_ID], prepared.templates);
  await scene.put(paths.flowRun(runId), data);
  const { documents, calls } = counting(scene.documents, async (writes) =>
    disturb?.(runId, writes, scene),
  );
  const asGiven = { ...runOf(data.steps as never), runId, data };
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(async () => void process.off('warning', onWarning));
  const outcome = await runStep(
    stepRequest({ runId, asGiven }),
    depsIn(scene, {
      documents,
      accounts: prepared.accounts,
      provider: new FixtureProvider([scene.cwd]),
    }),
  );
  // Node raises them on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  return { outcome, calls, scene, warnings };
}

/** As when a step of another worker ends: once, right before the commit that is meant. */
function foreignWriteBefore(isMeant: (write: Write) => boolean) {
  let done = false;
  return async (runId: string, writes: readonly Write[], { documents }: GcpScene) => {
    if (done || !writes.some(isMeant)) return;
    done = true;
    const path = paths.flowRun(runId);
    const fields = [[['steps', 'report', 'status'], 'SUCCEEDED']] as const;
    await documents.commit([{ kind: 'patch', path, fields }]);
  };
}

describe.skipIf(whyNoEmulator)(`the calls of one step ${whyNoEmulator}`, () => {
  for (const charts of [1, 8, 64]) {
    for (const accounts of [1, 20]) {
      test(`${charts} charts, ${accounts} accounts: 4 round trips and N + 1 objects`, async ({
        onTestFinished,
      }) => {
        await onOneUtcDay(async () => {
          const step = await countStep(charts, accounts, onTestFinished);
          return () => {
            const { outcome, calls, scene, warnings } = step;
            expect(warnings).toEqual([]);
            expect(outcome).toMatchObject({ reason: 'succeeded' });
            expect(calls.map((call) => call.split(' ')[0])).toEqual([
              'read',
              'commit',
              'read',
              'commit',
            ]);
            expect(scene.storage.count('put')).toBe(charts + 1);
            expect(scene.storage.objects(BUCKET)).toHaveLength(charts + 1);
            // The probe, and the manifest's generation.
            expect(scene.storage.count()).toBe(charts + 3);
          };
        });
      });
    }
  }

  test.for([
    ['claim', 'ACTIVE'],
    ['settle', 'DONE'],
  ] as const)('a foreign write right before the %s: 6 round trips', async ([, state], context) => {
    await onOneUtcDay(async () => {
      const disturb = foreignWriteBefore((write) => putsLease(write, state));
      const { outcome, calls, scene } = await countStep(8, 20, context.onTestFinished, disturb);
      return async () => {
        expect(outcome).toMatchObject({ reason: 'succeeded' });
        expect(calls.filter((call) => call.startsWith('commit'))).toHaveLength(3);
        expect(calls.length, calls.join(', ')).toBeLessThanOrEqual(6);
        expect(scene.storage.count('put')).toBe(9);
        // It was kept.
        const { steps } = await scene.flowRun('20251221-120000_BTCUSDT_count');
        expect(steps).toMatchObject({
          report: { status: 'SUCCEEDED' },
          [STEP_ID]: { status: 'SUCCEEDED' },
        });
      };
    });
  });
});
