import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { bundled } from '../../src/config/bundled.js';
import type { ChartsOutputsManifest, JsonObject } from '../../src/contracts/documents.js';
import { validateManifest } from '../../src/contracts/validate.js';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { paths } from '../../src/documents/paths.js';
import { parseLease, standingOf } from '../../src/engine/lease-document.js';
import { CliProcess, type Command, emptyFolder, flowRun, jsonFile, runCli } from './cli-run.js';
import { sha256 } from './cli-workspace.js';
import { type FakeStorage, startFakeStorage } from './fake-storage/fake-storage.js';
import type { StoredObject } from './fake-storage/object-store.js';
import { emulatorHost } from './firestore-emulator.js';
import { FirestoreProxy } from './firestore-proxy.js';
import { ACCOUNT_ID, STEP_ID, THREE_CHARTS, type Told, told } from './step-scene.js';

export const BUCKET = 'charts-bucket';
const EXPIRY_MS = 30_000;

export interface GcpRunOptions {
  readonly flags?: readonly string[];
  /** Of the lease that this run takes; by default so long that it neither beats nor expires. */
  readonly leaseTtlSeconds?: number;
}

/**
 * A step of three charts in the cloud: a project of its own on the emulator, reached through a
 * proxy, and a Storage server of its own.
 */
export class GcpScene {
  readonly runId = `20251221-120000_BTCUSDT_${randomName()}`;
  readonly projectId = `demo-${randomName()}`;
  readonly cwd: string;
  readonly proxy: FirestoreProxy;
  readonly storage: FakeStorage;
  /** Past the proxy. */
  readonly store: FirestoreDocumentStore;
  readonly document: JsonObject;

  private constructor(cwd: string, proxy: FirestoreProxy, storage: FakeStorage, host: string) {
    this.cwd = cwd;
    this.proxy = proxy;
    this.storage = storage;
    const target = { projectId: this.projectId, database: '(default)' };
    this.store = new FirestoreDocumentStore({ ...target, emulatorHost: host });
    const requests = THREE_CHARTS.map((chartTemplateId) => ({ chartTemplateId }));
    const inputs = { minImages: THREE_CHARTS.length, requests };
    this.document = flowRun({ runId: this.runId, stepId: STEP_ID, inputs });
  }

  static async open(onTestFinished: (undo: () => Promise<void>) => void): Promise<GcpScene> {
    const host = await emulatorHost();
    const [cwd, proxy, storage] = await Promise.all([
      emptyFolder(onTestFinished),
      FirestoreProxy.start(host),
      startFakeStorage({ buckets: [BUCKET] }),
    ]);
    const scene = new GcpScene(cwd, proxy, storage, host);
    onTestFinished(async () => {
      await Promise.all([proxy.close(), storage.close(), scene.store.close()]);
    });
    await jsonFile(cwd, 'flow_run.json', scene.document);
    await jsonFile(cwd, 'accounts.json', [{ id: ACCOUNT_ID, apiKey: 'not-a-real-key-0123456789' }]);
    return scene;
  }

  /** The program on this step, one chart after the other; the run is created where it is not there. */
  #command({ flags = [], leaseTtlSeconds = 90 }: GcpRunOptions = {}): Command {
    const argv = ['--flow-run-path', 'flow_run.json', '--accounts-config-path', 'accounts.json'];
    const cloud = ['--backend', 'gcp', '--charts-bucket', BUCKET, '--create-flow-run'];
    const rest = ['--templates-dir', bundled.templates, '--concurrency', '1'];
    const output = ['--output-summary', 'json', '--log-format', 'json'];
    const env = {
      FIRESTORE_EMULATOR_HOST: this.proxy.host,
      STORAGE_EMULATOR_HOST: this.storage.url,
      GOOGLE_CLOUD_PROJECT: this.projectId,
      METADATA_SERVER_DETECTION: 'none',
      CHARTS_LEASE_TTL_SECONDS: String(leaseTtlSeconds),
    };
    const all = ['run-local', ...argv, ...cloud, ...rest, ...output, ...flags];
    return [all, { cwd: this.cwd, env }];
  }

  /** A process of its own, which can be killed and stopped. */
  start(options?: GcpRunOptions): CliProcess {
    return new CliProcess(...this.#command(options));
  }

  async run(options?: GcpRunOptions): Promise<Told> {
    return told(await runCli(...this.#command(options)));
  }

  /** Puts the flow run there, as somebody else would. */
  async createFlowRun(): Promise<void> {
    const write = { kind: 'put', path: paths.flowRun(this.runId), data: this.document } as const;
    expect(await this.store.commit([write])).toMatchObject({ status: 'committed' });
  }

  /** `undefined`: there is no flow run. */
  async step(): Promise<JsonObject | undefined> {
    const data = (await this.#read(paths.flowRun(this.runId)))?.data;
    return (data?.steps as Record<string, JsonObject> | undefined)?.[STEP_ID];
  }

  async lease() {
    return parseLease(await this.#read(paths.lease(this.runId, STEP_ID)));
  }

  async usage(accountId = ACCOUNT_ID): Promise<JsonObject | undefined> {
    return (await this.#read(paths.usage(accountId)))?.data;
  }

  /** Resolves once the lease has expired by the server's clock; at once, where none is live. */
  async leaseExpired(): Promise<void> {
    const path = paths.lease(this.runId, STEP_ID);
    const until = performance.now() + EXPIRY_MS;
    for (;;) {
      const { get, readTimeMs } = await this.store.read([path]);
      const document = get(path);
      if (standingOf(document, readTimeMs, () => false) !== 'live') return;
      if (performance.now() > until) throw new Error('the lease does not expire');
      const ttlMs = parseLease(document)?.ttlMs ?? 0;
      await sleep(Math.max(10, ttlMs - (readTimeMs - (document?.updateTimeMs ?? 0)) + 1));
    }
  }

  get objects(): readonly StoredObject[] {
    return this.storage.objects(BUCKET);
  }

  get charts(): readonly StoredObject[] {
    return this.objects.filter(({ name }) => name.endsWith('.png'));
  }

  /** `undefined`: none was written. */
  get manifest(): StoredObject | undefined {
    return this.objects.find(({ name }) => name === `${this.#folder}/manifest.json`);
  }

  get manifestUri(): string {
    return `gs://${BUCKET}/${this.#folder}/manifest.json`;
  }

  get #folder(): string {
    return `charts/${this.runId}/${STEP_ID}`;
  }

  /**
   * The step SUCCEEDED by this claim: its lease is done, the manifest and every chart in it are the
   * claim's, and the rest of the flow run is as it was. Returns the manifest.
   */
  async expectDone(claimId: string | undefined): Promise<ChartsOutputsManifest> {
    const { data } = (await this.#read(paths.flowRun(this.runId))) ?? { data: {} };
    const asGiven = (this.document.steps as Record<string, JsonObject>)[STEP_ID];
    const settled = {
      ...asGiven,
      status: 'SUCCEEDED',
      finishedAt: expect.any(String),
      outputs: { outputsManifestGcsUri: this.manifestUri },
    };
    expect(data).toEqual({ ...this.document, steps: { [STEP_ID]: settled } });
    expect(await this.lease()).toMatchObject({ state: 'DONE', claimId });

    expect(this.manifest?.metadata).toMatchObject({ claimId });
    const checked = validateManifest(JSON.parse(String(this.manifest?.body)));
    if (!checked.ok) throw new Error(checked.errors.join('; '));
    const { items, failures } = checked.value;
    expect(failures).toEqual([]);
    expect(items.map(({ chartTemplateId }) => chartTemplateId)).toEqual(THREE_CHARTS);
    for (const { chartTemplateId, generatedAt, png_gcs_uri: uri, meta } of items) {
      const object = this.objects.find(({ name }) => uri === `gs://${BUCKET}/${name}`);
      expect(object?.metadata, uri).toMatchObject({ claimId, chartTemplateId, generatedAt });
      expect(sha256(object?.body ?? Buffer.alloc(0)), uri).toBe(meta?.sha256);
    }
    expect(this.storage.violations).toEqual([]);
    return checked.value;
  }

  async #read(path: string) {
    return (await this.store.read([path])).get(path);
  }
}

/** Six characters, as a run id's last part has them. */
function randomName(): string {
  return Math.random().toString(36).slice(2, 8).padEnd(6, '0');
}
