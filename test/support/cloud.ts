import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { StoredDocument } from '../../src/documents/document-store.js';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import { Logger } from '../../src/log/logger.js';
import { type FakeStorage, startFakeStorage } from './fake-storage/fake-storage.js';
import { emulatorHost } from './firestore-emulator.js';

export const BUCKET = 'charts-bucket';

/** The bundled templates, which all have fixtures of BTCUSDT at `1h`. */
export const TEMPLATES = [
  'ctpl_price_ma1226_bb_macd1226_v1',
  'ctpl_price_ma1226_vol_v1',
  'ctpl_price_psar_adi_v1',
  'ctpl_price_rsi14_stochrsi_v1',
  'ctpl_price_vpvr_obv_v1',
] as const;

type Cleanup = (undo: () => Promise<void>) => void;

/** The Firestore emulator, in a project that no other test uses, and a fake Cloud Storage. */
export class Cloud {
  readonly projectId: string;
  readonly firestoreHost: string;
  readonly fake: FakeStorage;
  readonly documents: FirestoreDocumentStore;

  private constructor(projectId: string, firestoreHost: string, fake: FakeStorage) {
    this.projectId = projectId;
    this.firestoreHost = firestoreHost;
    this.fake = fake;
    this.documents = this.documentsAt(firestoreHost);
  }

  static async open(onTestFinished: Cleanup): Promise<Cloud> {
    const fake = await startFakeStorage({ buckets: [BUCKET] });
    const projectId = `demo-${randomUUID().slice(0, 13)}`;
    const cloud = new Cloud(projectId, await emulatorHost(), fake);
    onTestFinished(async () => {
      await Promise.all([cloud.documents.close(), fake.close()]);
      if (fake.violations.length > 0) throw new Error(fake.violations.join('; '));
    });
    return cloud;
  }

  /** Another client of the same project, through a proxy perhaps. */
  documentsAt(emulatorHost: string): FirestoreDocumentStore {
    const { projectId } = this;
    return new FirestoreDocumentStore({ projectId, database: '(default)', emulatorHost });
  }

  /** What sends the program here. */
  get env(): Record<string, string> {
    return {
      FIRESTORE_EMULATOR_HOST: this.firestoreHost,
      STORAGE_EMULATOR_HOST: this.fake.url,
      GOOGLE_CLOUD_PROJECT: this.projectId,
    };
  }

  async write(path: string, data: JsonObject): Promise<void> {
    const { status } = await this.documents.commit([{ kind: 'put', path, data }]);
    if (status !== 'committed') throw new Error(`${path} was not written: ${status}`);
  }

  async document(path: string): Promise<StoredDocument | undefined> {
    return (await this.documents.read([path])).get(path);
  }

  async steps(runId: string): Promise<Record<string, JsonObject>> {
    return (await this.document(paths.flowRun(runId)))?.data.steps as Record<string, JsonObject>;
  }

  async lease(runId: string, stepId: string): Promise<JsonObject | undefined> {
    return (await this.document(paths.lease(runId, stepId)))?.data;
  }

  async writeTemplates(ids: readonly string[] = TEMPLATES): Promise<void> {
    const model = await bundledTemplate(TEMPLATES[1]);
    await Promise.all(ids.map((id) => this.write(paths.template(id), { ...model, id })));
  }

  /** What the engine works with in this cloud; quiet, and with charts that cost nothing. */
  deps(changes: Partial<EngineDeps> = {}): EngineDeps {
    return {
      documents: this.documents,
      artifacts: new GcsArtifactStore({ bucket: BUCKET, emulator: this.fake.url }),
      provider: new FixtureProvider([bundled.fixtures]),
      templates: { find: async () => undefined },
      accounts: [],
      owner: { host: 'test', pid: process.pid, started: randomUUID() },
      ownerIsGone: () => false,
      clock: systemClock,
      logger: new Logger(() => undefined),
      signal: new AbortController().signal,
      settings: ENGINE_SETTINGS,
      ...changes,
    };
  }
}

export const ENGINE_SETTINGS: EngineDeps['settings'] = {
  concurrency: 10,
  timeoutMs: 60_000,
  leaseTtlMs: 90_000,
  timezone: 'Etc/UTC',
  chartsApiMode: 'mock',
};

async function bundledTemplate(id: string): Promise<JsonObject> {
  return JSON.parse(await readFile(join(bundled.templates, `${id}.json`), 'utf8'));
}

/** A run of READY steps, each of which asks for these charts. */
export function runOfSteps(
  runId: string,
  stepIds: readonly string[],
  templates: readonly string[] = TEMPLATES.slice(0, 2),
): JsonObject {
  const step = {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { requests: templates.map((chartTemplateId) => ({ chartTemplateId })) },
    outputs: {},
  };
  return {
    schemaVersion: 1,
    runId,
    status: 'RUNNING',
    scope: { symbol: 'BTCUSDT' },
    steps: Object.fromEntries(stepIds.map((stepId) => [stepId, step])),
  };
}
