import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { JsonObject, RunSummary } from '../../src/contracts/documents.js';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { paths } from '../../src/documents/paths.js';
import { emptyFolder, type LogLine, logLines, runCli } from './cli-run.js';
import { summaryOn } from './cli-workspace.js';
import { type FakeStorage, startFakeStorage } from './fake-storage/fake-storage.js';
import { emulatorHost } from './firestore-emulator.js';

const TEMPLATES = fileURLToPath(new URL('../../fixtures/chart-templates', import.meta.url));

export const BUCKET = 'charts-bucket';

export interface CloudRun {
  readonly exitCode: number | null;
  readonly summary: RunSummary;
  readonly log: readonly LogLine[];
}

type OnTestFinished = (undo: () => Promise<void>) => void;

/** A project of its own on the emulator, a bucket of its own on the fake, and the program between. */
export class GcpScene {
  readonly cwd: string;
  readonly storage: FakeStorage;
  readonly documents: FirestoreDocumentStore;
  readonly projectId: string;
  readonly #host: string;

  private constructor(cwd: string, host: string, projectId: string, storage: FakeStorage) {
    this.cwd = cwd;
    this.#host = host;
    this.projectId = projectId;
    this.storage = storage;
    const target = { projectId, database: '(default)', emulatorHost: host };
    this.documents = new FirestoreDocumentStore(target);
  }

  static async open(onTestFinished: OnTestFinished): Promise<GcpScene> {
    const host = await emulatorHost();
    const storage = await startFakeStorage({ buckets: [BUCKET] });
    const projectId = `demo-${randomUUID().slice(0, 13)}`;
    const scene = new GcpScene(await emptyFolder(onTestFinished), host, projectId, storage);
    onTestFinished(async () => {
      await scene.documents.close();
      await storage.close();
    });
    return scene;
  }

  get env(): Record<string, string> {
    return {
      FIRESTORE_EMULATOR_HOST: this.#host,
      STORAGE_EMULATOR_HOST: this.storage.url,
      GOOGLE_CLOUD_PROJECT: this.projectId,
    };
  }

  argv(file: string, ...flags: string[]): string[] {
    const backend = ['--backend', 'gcp', '--charts-bucket', `gs://${BUCKET}`];
    const output = ['--templates-dir', TEMPLATES, '--output-summary', 'json'];
    return ['run-local', '--flow-run-path', file, ...backend, ...output, ...flags];
  }

  async run(file: string, ...flags: string[]): Promise<CloudRun> {
    const { cwd, env } = this;
    const { exitCode, stdout, stderr } = await runCli(this.argv(file, ...flags), { cwd, env });
    return { exitCode, summary: summaryOn(stdout), log: logLines(stderr) };
  }

  async document(path: string): Promise<JsonObject | undefined> {
    return (await this.documents.read([path])).get(path)?.data;
  }

  async flowRun(runId: string): Promise<JsonObject & { steps: Record<string, JsonObject> }> {
    const run = await this.document(paths.flowRun(runId));
    if (!run) throw new Error(`there is no flow run ${runId}`);
    return run as JsonObject & { steps: Record<string, JsonObject> };
  }

  /** Writes a document as it is, whatever there was. */
  async put(path: string, data: JsonObject): Promise<void> {
    const result = await this.documents.commit([{ kind: 'put', path, data }]);
    if (result.status !== 'committed') throw new Error(`the commit was ${result.status}`);
  }
}
