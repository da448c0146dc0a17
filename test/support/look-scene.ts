import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { type Ended, emptyFolder, runCli } from './cli-run.js';
import { CliWorkspace, filesIn } from './cli-workspace.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

/** A backend with documents and objects as a test puts them, and commands that only look. */
export interface LookScene {
  readonly cwd: string;
  readonly bucket: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  put(path: string, data: JsonObject): Promise<void>;
  putObject(name: string, text: string): Promise<void>;
  run(...argv: string[]): Promise<Ended>;
  /** All that there is; equal before and after: nothing was written. */
  snapshot(): Promise<unknown>;
}

export async function localScene(onTestFinished: OnTestFinished): Promise<LookScene> {
  const cwd = await emptyFolder(onTestFinished);
  const workspace = new CliWorkspace(cwd);
  const write = async (file: string, text: string) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  return {
    cwd,
    bucket: 'local',
    flags: [],
    env: {},
    put: (path, data) =>
      write(workspace.documentPath(...path.split('/')), JSON.stringify(data, null, 2)),
    putObject: (name, text) => write(workspace.objectPath(`gs://local/${name}`), text),
    run: (...argv) => runCli(argv, { cwd }),
    snapshot: () => filesIn(cwd),
  };
}

export async function gcpScene(onTestFinished: OnTestFinished): Promise<LookScene> {
  const scene = await GcpScene.open(onTestFinished);
  const { cwd, env } = scene;
  const written: string[] = [];
  return {
    cwd,
    bucket: BUCKET,
    flags: ['--backend', 'gcp'],
    env,
    put: async (path, data) => {
      await scene.put(path, data);
      written.push(path);
    },
    putObject: async (name, text) => {
      const store = new GcsArtifactStore({ bucket: BUCKET, emulator: scene.storage.url });
      await store.put({
        name,
        body: Buffer.from(text),
        contentType: 'application/json',
        metadata: {},
        when: 'absent',
      });
    },
    run: (...argv) => runCli([...argv, '--backend', 'gcp'], { cwd, env }),
    snapshot: async () => {
      const reading = written.length > 0 ? await scene.documents.read(written) : undefined;
      const versions = written.map((path) => [path, reading?.get(path)?.version]);
      const objects = scene.storage.objects(BUCKET).map(({ name, body }) => [name, String(body)]);
      const runs = (await scene.documents.list('flow_runs', { limit: 50 })).documents.length;
      return { versions, objects, runs, files: await filesIn(cwd) };
    },
  };
}
