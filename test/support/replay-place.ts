import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import type { JsonObject, RunSummary } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { emptyFolder, jsonFile, type LogLine, logLines, runCli } from './cli-run.js';
import { CliWorkspace, summaryOn } from './cli-workspace.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

type Cleanup = (undo: () => Promise<void>) => void;

export const FIVE_FILE = fileURLToPath(
  new URL('../../fixtures/flow-runs/five-templates.json', import.meta.url),
);
export const FIVE_RUN = '20251221-130000_BTCUSDT_five';
export const FIVE_STEP = 'charts:1D:all';
export const ACCOUNT = { id: 'acc-1', apiKey: 'not-a-real-key-0123456789', dailyLimit: 40 };

export interface PlaceRun {
  readonly exitCode: number | null;
  readonly summary: RunSummary;
  readonly log: readonly LogLine[];
}

/** A workspace or a project, with the program in front of it; seen alike from a test. */
export interface Place {
  readonly cwd: string;
  readonly bucket: string;
  run(...flags: string[]): Promise<PlaceRun>;
  flowRun(): Promise<JsonObject & { steps: Record<string, JsonObject> }>;
  /** Replaces the stored flow run. */
  put(data: JsonObject): Promise<void>;
  object(uri: string): Promise<string>;
  remove(uri: string): Promise<void>;
  /** Names of all objects, without those that keep a replaced manifest. */
  objects(): Promise<string[]>;
  unitsUsed(): Promise<unknown>;
}

async function localPlace(onTestFinished: Cleanup): Promise<Place> {
  const cwd = await emptyFolder(onTestFinished);
  const workspace = new CliWorkspace(cwd);
  return {
    cwd,
    bucket: 'local',
    run: async (...flags) => {
      const argv = ['run-local', '--output-summary', 'json', ...flags];
      const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
      return { exitCode, summary: summaryOn(stdout), log: logLines(stderr) };
    },
    flowRun: async () => (await workspace.document('flow_runs', FIVE_RUN)) as never,
    put: (data) => writeFile(workspace.documentPath('flow_runs', FIVE_RUN), JSON.stringify(data)),
    object: async (uri) => (await workspace.object(uri)).toString(),
    remove: (uri) => rm(workspace.objectPath(uri)),
    objects: async () =>
      (await workspace.objects()).map((name) => decodeURIComponent(name.slice('local/'.length))),
    unitsUsed: () => workspace.unitsUsed(ACCOUNT.id),
  };
}

async function gcpPlace(onTestFinished: Cleanup): Promise<Place> {
  const scene = await GcpScene.open(onTestFinished);
  const nameOf = (uri: string) => uri.slice(`gs://${BUCKET}/`.length);
  const found = (uri: string) => {
    const object = scene.storage.objects(BUCKET).find(({ name }) => name === nameOf(uri));
    if (!object) throw new Error(`there is no ${uri}`);
    return object;
  };
  return {
    cwd: scene.cwd,
    bucket: BUCKET,
    run: async (...flags) => {
      const [, , , ...rest] = scene.argv('');
      const { cwd, env } = scene;
      const argv = ['run-local', ...rest, ...flags];
      const { exitCode, stdout, stderr } = await runCli(argv, { cwd, env });
      return { exitCode, summary: summaryOn(stdout), log: logLines(stderr) };
    },
    flowRun: () => scene.flowRun(FIVE_RUN),
    put: (data) => scene.put(paths.flowRun(FIVE_RUN), data),
    object: async (uri) => found(uri).body.toString(),
    remove: async (uri) => {
      const store = new GcsArtifactStore({ bucket: BUCKET, emulator: scene.storage.url });
      const { generation = '' } = (await store.look(nameOf(uri))) ?? {};
      if (!(await store.delete(nameOf(uri), generation))) throw new Error(`there is no ${uri}`);
    },
    objects: async () =>
      scene.storage
        .objects(BUCKET)
        .map(({ name }) => name)
        .sort(),
    unitsUsed: async () => (await scene.document(paths.usage(ACCOUNT.id)))?.usageToday,
  };
}

export const PLACES = { local: localPlace, gcp: gcpPlace } as const;

/** The sample run with a template that is not there, so that one of its charts fails. */
export async function withOneFailing(place: Place, failing: string): Promise<string> {
  const run = JSON.parse(await readFile(FIVE_FILE, 'utf8'));
  const step = run.steps[FIVE_STEP];
  step.inputs.requests = [...step.inputs.requests, { chartTemplateId: failing }];
  return jsonFile(place.cwd, 'flow_run.json', run);
}
