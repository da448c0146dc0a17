import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundled } from '../../src/config/bundled.js';
import { paths } from '../../src/documents/paths.js';
import { type FakeChartImg, startFakeChartImg } from './fake-chart-img/fake-chart-img.js';
import { FunctionServer, type FunctionServerOptions } from './function-server.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

export const KEY = 'not-a-real-key-0123456789/+abc==';

type Cleanup = (undo: () => Promise<void>) => void;

/** A project of its own with the reference templates in it, a bucket, and a Chart-IMG that answers. */
export class ServedFunction {
  readonly cloud: GcpScene;
  readonly chartImg: FakeChartImg;
  readonly #onTestFinished: Cleanup;

  private constructor(cloud: GcpScene, chartImg: FakeChartImg, onTestFinished: Cleanup) {
    this.cloud = cloud;
    this.chartImg = chartImg;
    this.#onTestFinished = onTestFinished;
  }

  static async open(onTestFinished: Cleanup): Promise<ServedFunction> {
    const pace = { requestsPerSecond: 'unlimited', dailyLimit: 'unlimited' } as const;
    const chartImg = await startFakeChartImg({ keys: [{ apiKey: KEY, plan: 'MEGA', ...pace }] });
    onTestFinished(() => chartImg.close());
    const cloud = await GcpScene.open(onTestFinished);
    for (const file of await readdir(bundled.templates)) {
      const template = JSON.parse(await readFile(join(bundled.templates, file), 'utf8'));
      await cloud.put(paths.template(template.id), template);
    }
    return new ServedFunction(cloud, chartImg, onTestFinished);
  }

  /** The function's, as a deployment sets it: real charts, one account. */
  get env(): Record<string, string> {
    return {
      ...this.cloud.env,
      CHARTS_BUCKET: `gs://${BUCKET}`,
      CHART_IMG_ACCOUNTS_JSON: JSON.stringify([{ id: 'acc-1', apiKey: KEY, plan: 'MEGA' }]),
      CHART_IMG_BASE_URL: this.chartImg.url,
    };
  }

  start(options: Partial<FunctionServerOptions> = {}): Promise<FunctionServer> {
    return FunctionServer.start(this.#onTestFinished, {
      cwd: this.cloud.cwd,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }
}
