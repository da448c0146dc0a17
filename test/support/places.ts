import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bundled } from '../../src/config/bundled.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { type Ended, emptyFolder, runCli } from './cli-run.js';
import { CliWorkspace, filesIn } from './cli-workspace.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

type Cleanup = (undo: () => Promise<void>) => void;

/** Where a command works, with fixtures: on the disk or in the cloud, the same to whoever tests. */
export interface Place {
  /** The program's folder. */
  readonly cwd: string;
  readonly backend: 'local' | 'gcp';
  put(runId: string, run: JsonObject): Promise<void>;
  step(runId: string, stepId: string): Promise<JsonObject>;
  /** All that is stored, in a form that can be compared. */
  everything(): Promise<unknown>;
  cli(...argv: readonly string[]): Promise<Ended>;
}

export async function localPlace(onTestFinished: Cleanup): Promise<Place> {
  const cwd = await emptyFolder(onTestFinished);
  const workspace = new CliWorkspace(cwd);
  return {
    cwd,
    backend: 'local',
    put: async (runId, run) => {
      const file = workspace.documentPath('flow_runs', runId);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, JSON.stringify(run));
    },
    step: (runId, stepId) => workspace.step(runId, stepId),
    everything: () => filesIn(workspace.root),
    cli: (...argv) => runCli(argv, { cwd }),
  };
}

export async function gcpPlace(onTestFinished: Cleanup): Promise<Place> {
  const scene = await GcpScene.open(onTestFinished);
  const { cwd, env } = scene;
  const where = ['--backend', 'gcp', '--charts-bucket', BUCKET];
  return {
    cwd,
    backend: 'gcp',
    put: (runId, run) => scene.put(paths.flowRun(runId), run),
    step: async (runId, stepId) => (await scene.flowRun(runId)).steps[stepId] ?? {},
    everything: async () => {
      const { documents } = await scene.documents.list('flow_runs', { limit: 100 });
      return [documents, scene.storage.objects(BUCKET)];
    },
    cli: (...argv) =>
      runCli([...argv, ...where, '--templates-dir', bundled.templates], { cwd, env }),
  };
}
