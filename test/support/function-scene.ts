import { setTimeout as sleep } from 'node:timers/promises';
import type { Account, JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { type LeaseDocument, parseLease } from '../../src/engine/lease-document.js';
import { type FakeChartImg, startFakeChartImg } from './fake-chart-img/fake-chart-img.js';
import type { StoredObject } from './fake-storage/object-store.js';
import { FirestoreProxy } from './firestore-proxy.js';
import { FunctionServer, type Target } from './function-server.js';
import { runOfSteps } from './gcp-deps.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

const KEY = 'not-a-real-key-0123456789';
const ACCOUNT_ID = 'acc-1';
export const RUN_ID = '20251221-120000_BTCUSDT_func';
/** A lease of the function's steps: none of the tests waits for it. */
const LEASE_TTL_SECONDS = 600;
/** Of each step its own, so that the provider can tell whose charts it is asked for. */
const TIMEFRAMES = ['1m', '5m', '15m', '30m', '1h', '2h', '4h', '1D', '1W', '1M'];

export interface SceneOptions {
  /** Of the one account. */
  readonly pace?: Pick<Account, 'requestsPerSecond' | 'burst'>;
  readonly latencyMs?: number;
}

export interface ServeOptions {
  readonly target?: Target;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly runId?: string;
  /** Charts of each step. */
  readonly charts?: number;
  readonly dependsOn?: Readonly<Record<string, readonly string[]>>;
  readonly status?: string;
}

/** All that the function talks to: Firestore through a proxy, Storage, and a provider that counts. */
export class FunctionScene {
  readonly gcp: GcpScene;
  readonly proxy: FirestoreProxy;
  readonly fake: FakeChartImg;
  readonly #account: Account;
  readonly #onTestFinished: OnTestFinished;

  private constructor(
    gcp: GcpScene,
    proxy: FirestoreProxy,
    fake: FakeChartImg,
    account: Account,
    onTestFinished: OnTestFinished,
  ) {
    this.gcp = gcp;
    this.proxy = proxy;
    this.fake = fake;
    this.#account = account;
    this.#onTestFinished = onTestFinished;
  }

  static async open(
    onTestFinished: OnTestFinished,
    { pace = { requestsPerSecond: 100_000, burst: 100_000 }, latencyMs = 0 }: SceneOptions = {},
  ): Promise<FunctionScene> {
    const gcp = await GcpScene.open(onTestFinished);
    const proxy = await FirestoreProxy.start(gcp.env.FIRESTORE_EMULATOR_HOST ?? '');
    const unlimited = { requestsPerSecond: 'unlimited', dailyLimit: 'unlimited' } as const;
    const key = { apiKey: KEY, plan: 'ULTRA', ...unlimited } as const;
    const fake = await startFakeChartImg({ keys: [key], latencyMs });
    onTestFinished(async () => {
      await Promise.all([proxy.close(), fake.close()]);
    });
    const account = { id: ACCOUNT_ID, apiKey: KEY, plan: 'ULTRA', ...pace } as const;
    return new FunctionScene(gcp, proxy, fake, account, onTestFinished);
  }

  /** What the function is told, and the command line too. */
  get env(): Record<string, string> {
    return {
      ...this.gcp.env,
      FIRESTORE_EMULATOR_HOST: this.proxy.host,
      CHARTS_BUCKET: BUCKET,
      CHART_IMG_ACCOUNTS_JSON: JSON.stringify([this.#account]),
      CHART_IMG_BASE_URL: this.fake.url,
      // One chart after the other: a moment of a step is the same each time.
      CHARTS_CONCURRENCY: '1',
      CHARTS_LEASE_TTL_SECONDS: String(LEASE_TTL_SECONDS),
      METADATA_SERVER_DETECTION: 'none',
    };
  }

  serve({ target, env = {} }: ServeOptions = {}): Promise<FunctionServer> {
    return FunctionServer.start(this.#onTestFinished, {
      ...(target && { target }),
      cwd: this.gcp.cwd,
      env: { ...this.env, ...env },
    });
  }

  /** Writes a run of READY steps, with a template for each of their charts. */
  async writeRun(
    stepIds: readonly string[],
    { runId = RUN_ID, charts = 3, dependsOn = {}, status = 'RUNNING' }: RunOptions = {},
  ): Promise<void> {
    const templates = Array.from({ length: charts }, (_, index) => `ctpl_${index + 1}`);
    for (const [index, id] of templates.entries()) {
      const request = { width: 800 + index, height: 600 };
      const template = { description: 'one of some', chartImgSymbolTemplate: 'BINANCE:{symbol}' };
      await this.gcp.put(paths.template(id), { id, ...template, request });
    }
    const run = runOfSteps(runId, stepIds, templates);
    const steps = stepIds.map((stepId, index) => {
      const step = (run.steps as Record<string, JsonObject>)[stepId];
      const timeframe = TIMEFRAMES[index % TIMEFRAMES.length];
      return [stepId, { ...step, timeframe, dependsOn: [...(dependsOn[stepId] ?? [])] }];
    });
    await this.gcp.put(paths.flowRun(runId), {
      ...run,
      status,
      steps: Object.fromEntries(steps),
    });
  }

  async step(stepId: string, runId = RUN_ID): Promise<JsonObject | undefined> {
    return (await this.gcp.flowRun(runId)).steps[stepId];
  }

  async lease(stepId: string, runId = RUN_ID): Promise<LeaseDocument | undefined> {
    const path = paths.lease(runId, stepId);
    return parseLease((await this.gcp.documents.read([path])).get(path));
  }

  /** Its holder is dead, or is taken for it: the lease's time is over. */
  async expireLease(stepId: string, runId = RUN_ID): Promise<void> {
    const lease = await this.lease(stepId, runId);
    if (!lease) throw new Error(`step ${stepId} has no lease`);
    await this.gcp.put(paths.lease(runId, stepId), { ...lease, ttlMs: 1 });
    await sleep(20);
  }

  async unitsUsed(): Promise<number> {
    const usage = await this.gcp.document(paths.usage(ACCOUNT_ID));
    return Number(usage?.usageToday ?? 0);
  }

  /** How often the provider was asked for each chart, by its step's timeframe and its number. */
  get calls(): Readonly<Record<string, number>> {
    const calls: Record<string, number> = {};
    for (const { body } of this.fake.requests) {
      const { interval, width } = JSON.parse(body) as { interval: string; width: number };
      const name = `${interval} ${width - 799}`;
      calls[name] = (calls[name] ?? 0) + 1;
    }
    return calls;
  }

  objects(stepId: string, runId = RUN_ID): readonly StoredObject[] {
    const folder = `charts/${runId}/${stepId}/`;
    return this.gcp.storage.objects(BUCKET).filter(({ name }) => name.startsWith(folder));
  }

  charts(stepId: string, runId = RUN_ID): number {
    return this.objects(stepId, runId).filter(({ name }) => name.endsWith('.png')).length;
  }

  /** Commits that were applied. */
  get writes(): number {
    return this.proxy.calls.filter(
      ({ name, status }) => status === 200 && !['read', 'query'].includes(name),
    ).length;
  }
}
