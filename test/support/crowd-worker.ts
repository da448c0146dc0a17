/**
 * One of many workers on the same runs, in a process of its own. Told on stdin which steps there
 * are, it tries all of them at once, and says on stdout what it did.
 */
import { createInterface } from 'node:readline';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import type { StepIdentity } from '../../src/engine/outcome.js';
import { runStep } from '../../src/engine/run-step.js';
import { Logger } from '../../src/log/logger.js';
import type { CrowdRound, CrowdSettings } from './crowd-process.js';

const settings = JSON.parse(process.argv[2] ?? '') as CrowdSettings;
const { projectId, firestoreHost, storageUrl, bucket } = settings;
const documents = new FirestoreDocumentStore({
  projectId,
  database: '(default)',
  emulatorHost: firestoreHost,
});
const artifacts = new GcsArtifactStore({ bucket, emulator: storageUrl });
const provider = new FixtureProvider([bundled.fixtures]);
let tries = 0;

say({ event: 'ready' });
for await (const line of createInterface(process.stdin)) {
  const { steps, accounts } = JSON.parse(line) as CrowdRound;
  await Promise.all(shuffled(steps).map((step) => attempt(step, accounts)));
  say({ event: 'round_ended' });
}
await documents.close();

async function attempt(
  { runId, stepId }: StepIdentity,
  accounts: CrowdRound['accounts'],
): Promise<void> {
  // Its name stands in the lease and in its log lines.
  const started = `${process.pid}-${tries++}`;
  const outcome = await runStep(
    {
      runId,
      stepId,
      asGiven: undefined,
      replay: false,
      ignoreDependencies: false,
      tolerateAbsentDependencies: false,
      dryRun: false,
    },
    {
      documents,
      artifacts,
      provider,
      accounts,
      templates: { find: async () => undefined },
      owner: { host: 'crowd', pid: process.pid, started },
      ownerIsGone: () => false,
      clock: systemClock,
      logger: new Logger(({ event, fields }) => say({ event, ...fields, worker: started })),
      signal: new AbortController().signal,
      settings: {
        concurrency: 2,
        timeoutMs: 60_000,
        leaseTtlMs: 90_000,
        timezone: 'Etc/UTC',
        chartsApiMode: 'mock',
        isLive: false,
      },
    },
  );
  const { reason } = outcome;
  const message = 'message' in outcome ? outcome.message : '';
  say({ event: 'ended', runId, stepId, reason, message, worker: started });
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Each worker comes by another way, so that they meet everywhere. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
