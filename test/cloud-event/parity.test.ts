import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { jsonFile, runCli } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET } from '../support/gcp-scene.js';
import { binaryEvent, structuredObject } from '../support/saved-events.js';
import { ServedFunction } from '../support/served-function.js';
import { onOneUtcDay } from '../support/step-scene.js';

const SAMPLES = fileURLToPath(new URL('../../fixtures/flow-runs', import.meta.url));
const REAL = ['--charts-api-mode', 'real', '--quiet'];

interface Sample {
  readonly runId: string;
  readonly run: JsonObject;
  /** Its CHART_EXPORT steps, in ascending order. */
  readonly stepIds: readonly string[];
}

type Steps = Record<string, JsonObject & { readonly dependsOn?: readonly string[] }>;

/**
 * A named step of the command line may depend on a step that is nowhere in the run, one of an event
 * may not: a deliberate difference. Such a step is put into the run, done, for all alike.
 */
async function samples(): Promise<Sample[]> {
  const files = (await readdir(SAMPLES)).filter((file) => file.endsWith('.json'));
  const read = files.map(async (file): Promise<Sample> => {
    const run: JsonObject = JSON.parse(await readFile(join(SAMPLES, file), 'utf8'));
    const steps = run.steps as Steps;
    const absent = Object.values(steps)
      .flatMap(({ dependsOn = [] }) => dependsOn)
      .filter((stepId) => !Object.hasOwn(steps, stepId));
    const done = { stepType: 'OHLCV_EXPORT', status: 'SUCCEEDED', timeframe: '1h' };
    const added = Object.fromEntries(absent.map((stepId) => [stepId, done]));
    const stepIds = Object.keys(steps)
      .filter((stepId) => steps[stepId]?.stepType === 'CHART_EXPORT')
      .sort();
    return { runId: String(run.runId), run: { ...run, steps: { ...steps, ...added } }, stepIds };
  });
  return Promise.all(read);
}

/** Step after step, as a person would. */
async function byCommandLine({ cloud, env }: ServedFunction, all: readonly Sample[]) {
  const { cwd } = cloud;
  for (const { run, stepIds } of all) {
    const file = await jsonFile(cwd, 'run.json', run);
    for (const stepId of stepIds) {
      const argv = ['run-local', '--flow-run-path', file, '--step-id', stepId, ...REAL];
      const { exitCode, stderr } = await runCli(argv, { cwd, env });
      expect([0, 3], stderr).toContain(exitCode);
    }
  }
}

async function bySavedEvent({ cloud, env }: ServedFunction, all: readonly Sample[]) {
  const { cwd } = cloud;
  for (const { runId } of all) {
    const file = await jsonFile(cwd, 'event.json', structuredObject(runId, { id: 'event-1' }));
    const argv = ['invoke-event', '--event-path', file, ...REAL];
    const { exitCode, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode, stderr).toBe(0);
  }
}

async function byFunction(scene: ServedFunction, all: readonly Sample[]) {
  const server = await scene.start();
  for (const { runId } of all) {
    const answered = await server.send(binaryEvent(runId, { id: 'event-1' }));
    expect(answered.status).toBe(204);
  }
}

/** All that is stored, times and tokens apart. */
async function left({ cloud }: ServedFunction, all: readonly Sample[]) {
  const collections = ['flow_runs', 'chart_img_accounts_usage'];
  const leases = all.map(({ runId }) => paths.leases(runId));
  const documents = await Promise.all(
    [...collections, ...leases].map(async (collection) => {
      const page = await cloud.documents.list(collection, { limit: 100 });
      return [collection, page.documents.map(({ id, data }) => [id, normalized(data)])];
    }),
  );
  const objects = cloud.storage
    .objects(BUCKET)
    .map(({ name, body, generation: _, metadata = {}, ...rest }) => {
      const isManifest = name.endsWith('.json');
      const { sha256, ...others } = metadata;
      return normalized({
        name,
        ...rest,
        metadata: { ...others, sha256: isManifest ? typeof sha256 : sha256 },
        body: isManifest ? JSON.parse(body.toString()) : body.toString('base64'),
      });
    })
    .sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
  expect(cloud.storage.violations).toEqual([]);
  return { documents: Object.fromEntries(documents), objects };
}

function normalized(value: JsonObject): JsonObject {
  const text = JSON.stringify(value, (key, inner) => {
    if (key === 'owner') return '<owner>';
    return ['token', 'claimId', 'writeId'].includes(key) ? `<${key}>` : inner;
  });
  return JSON.parse(
    text
      .replaceAll(/\d{8}-\d{6}(?=_[^/"]*\.png)/g, '<stamp>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'),
  );
}

/** What tells a lease of an event from one of the command line, and is meant to. */
function withoutEvent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === 'eventId' ? undefined : inner)));
}

describe.skipIf(whyNoEmulator)(`the same input ${whyNoEmulator}`, () => {
  test('leaves the same, by command line, saved event and function: every sample run', async ({
    onTestFinished,
  }) => {
    const all = await samples();
    expect(all.length).toBeGreaterThan(2);
    const ways = [byCommandLine, bySavedEvent, byFunction];
    const goAll = () =>
      Promise.all(
        ways.map(async (way) => {
          const scene = await ServedFunction.open(onTestFinished);
          for (const { runId, run } of all) await scene.cloud.put(paths.flowRun(runId), run);
          await way(scene, all);
          return left(scene, all);
        }),
      );
    let everybody: Awaited<ReturnType<typeof goAll>> = [];
    await onOneUtcDay(async () => {
      everybody = await goAll();
      return () => undefined;
    });
    const [commandLine, savedEvent, served] = everybody;
    expect(savedEvent).toEqual(served);
    expect(JSON.stringify(served)).toContain('"eventId":"event-1"');
    expect(withoutEvent(served)).toEqual(commandLine);
    // It is not that nobody did anything.
    const statuses = Object.values(served?.documents.flow_runs as [string, JsonObject][])
      .flatMap(([, { steps }]) => Object.entries(steps as Steps))
      .filter(([, { stepType }]) => stepType === 'CHART_EXPORT')
      .map(([stepId, { status }]) => `${stepId} ${status}`);
    expect(statuses.sort()).toEqual([
      'charts:1D:all SUCCEEDED',
      'charts:1H:ctpl_price_ma1226_vol_v1 SUCCEEDED',
      'charts:1M:trend READY',
      'charts:1W:trend SUCCEEDED',
    ]);
    expect(served?.objects).toHaveLength(5 + 1 + 2 + 3);
  });
});
