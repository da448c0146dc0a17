import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account, RunSummary } from '../../src/contracts/documents.js';
import { emptyFolder, flowRun, jsonFile, type LogLine, runCli } from './cli-run.js';
import { CliWorkspace, summaryOn } from './cli-workspace.js';
import {
  type FakeChartImg,
  type FakeChartImgOptions,
  startFakeChartImg,
} from './fake-chart-img/fake-chart-img.js';
import { type RunOptions, type Told, told } from './step-scene.js';

type Cleanup = (undo: () => Promise<void>) => void;

export const LIVE_RUN_ID = '20251221-120000_BTCUSDT_live';
export const LIVE_STEP_ID = 'charts:1H:test';
export const LIVE_KEY = 'not-a-real-key-0123456789';
export const LIVE_ACCOUNT: Account = { id: 'acc-1', apiKey: LIVE_KEY, plan: 'PRO' };

export interface LiveRunOptions extends RunOptions {
  readonly mode?: 'real' | 'record';
  /** Another name, another workspace. */
  readonly workspace?: string;
  readonly accounts?: readonly Account[] | 'none';
}

/** A fake that is closed when the test is over. */
export async function fakeFor(
  onTestFinished: Cleanup,
  options: FakeChartImgOptions,
): Promise<FakeChartImg> {
  const fake = await startFakeChartImg(options);
  onTestFinished(() => fake.close());
  return fake;
}

/** The program against a fake Chart-IMG, on the local backend: one step, its folder, its recordings. */
export class LiveScene {
  readonly cwd: string;
  readonly fake: FakeChartImg;
  readonly recordings: string;

  private constructor(cwd: string, fake: FakeChartImg) {
    this.cwd = cwd;
    this.fake = fake;
    this.recordings = join(cwd, 'recordings');
  }

  static async in(
    onTestFinished: Cleanup,
    charts: readonly string[],
    { fake, minImages = charts.length }: { fake?: FakeChartImg; minImages?: number } = {},
  ): Promise<LiveScene> {
    const keys = [{ apiKey: LIVE_KEY, plan: 'PRO' }] as const;
    const scene = new LiveScene(
      await emptyFolder(onTestFinished),
      fake ?? (await fakeFor(onTestFinished, { keys })),
    );
    await scene.ask(charts, minImages);
    return scene;
  }

  /** From now on the flow run's step wants these charts. */
  async ask(charts: readonly string[], minImages = charts.length): Promise<void> {
    const requests = charts.map((chartTemplateId) => ({ chartTemplateId }));
    const step = { timeframe: '1H', inputs: { minImages, requests } };
    const run = flowRun({ runId: LIVE_RUN_ID, stepId: LIVE_STEP_ID, ...step });
    await jsonFile(this.cwd, 'flow_run.json', run);
  }

  async run(options: LiveRunOptions = {}): Promise<Told> {
    const { mode = 'real', workspace = 'workspace', accounts = [LIVE_ACCOUNT] } = options;
    const { flags = [], env = {}, preload = [] } = options;
    const where = ['--workspace', workspace, '--flow-run-path', 'flow_run.json'];
    const how = ['--charts-api-mode', mode, '--output-summary', 'json', '--verbose'];
    const record = mode === 'record' ? ['--fixtures-dir', this.recordings] : [];
    const ended = await runCli(['run-local', ...where, ...how, ...record, ...flags], {
      cwd: this.cwd,
      env: {
        CHART_IMG_BASE_URL: this.fake.url,
        ...(accounts !== 'none' && { CHART_IMG_ACCOUNTS_JSON: JSON.stringify(accounts) }),
        ...env,
      },
      preload,
    });
    return told(ended);
  }

  /** Runs it to an end of its own, with a summary. */
  async finish(options?: LiveRunOptions): Promise<Told & { readonly summary: RunSummary }> {
    const run = await this.run(options);
    return { ...run, summary: summaryOn(run.stdout) };
  }

  record(options?: LiveRunOptions): Promise<Told & { readonly summary: RunSummary }> {
    return this.finish({ mode: 'record', ...options });
  }

  workspace(name = 'workspace'): CliWorkspace {
    return new CliWorkspace(this.cwd, name);
  }

  /** Every name in the recordings folder, hidden ones too; none where there is no folder. */
  async recorded(): Promise<string[]> {
    const names = await readdir(this.recordings).catch((error) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.sort();
  }
}

export function eventsOf(log: readonly LogLine[], event: string): LogLine[] {
  return log.filter((line) => line.event === event);
}
