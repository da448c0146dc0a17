import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account, JsonObject, RunSummary } from '../../src/contracts/documents.js';
import { type Command, emptyFolder, flowRun, jsonFile, type LogLine, runCli } from './cli-run.js';
import { CliWorkspace, summaryOn } from './cli-workspace.js';
import { type FakeChartImg, startFakeChartImg } from './fake-chart-img/fake-chart-img.js';
import type { KnownKey } from './fake-chart-img/plans.js';
import { RUN_ID, STEP_ID, type Told, told } from './step-scene.js';

type Cleanup = (undo: () => Promise<void>) => void;

/** What the accounts file says of one account, and what the fake knows of its key. */
export interface Payer {
  readonly account: Account;
  readonly key: KnownKey;
}

/** The program and the fake agree on all that is not said otherwise. */
export function payer(
  number: number,
  account: Partial<Account> = {},
  key: Partial<KnownKey> = {},
): Payer {
  const apiKey = `not-a-real-key-${number}-0123456789`;
  const plan = account.plan ?? 'BASIC';
  return {
    account: { id: `acc-${number}`, apiKey, plan, ...account },
    key: { apiKey, plan, ...key },
  };
}

export function payers(count: number, ...more: [Partial<Account>?, Partial<KnownKey>?]): Payer[] {
  return Array.from({ length: count }, (_, index) => payer(index + 1, ...more));
}

/** For `payer`: nobody waits for its turn, nobody is refused. */
export const UNLIMITED: [Partial<Account>, Partial<KnownKey>] = [
  { plan: 'ULTRA', requestsPerSecond: 100_000, burst: 100_000 },
  { requestsPerSecond: 'unlimited', dailyLimit: 'unlimited' },
];

export interface ManyChartsOptions {
  readonly payers: readonly Payer[];
  readonly charts: number;
  readonly latencyMs?: number;
  /** Of each template. */
  readonly request?: JsonObject;
}

/** Templates, accounts and a flow run of one step that needs them all; returns the flow run. */
export async function writeManyCharts(
  cwd: string,
  { payers, charts, request = { width: 800, height: 600 } }: ManyChartsOptions,
  runId = RUN_ID,
): Promise<JsonObject> {
  const templates = join(cwd, 'templates');
  await mkdir(templates);
  const ids = Array.from({ length: charts }, (_, index) => `ctpl_live_${index + 1}_v1`);
  for (const id of ids) {
    const chartImgSymbolTemplate = 'BINANCE:{symbol}';
    const template = { id, description: 'one of many', chartImgSymbolTemplate, request };
    await jsonFile(templates, `${id}.json`, template);
  }
  const requests = ids.map((chartTemplateId) => ({ chartTemplateId }));
  const inputs = { minImages: 1, requests };
  const run = flowRun({ runId, stepId: STEP_ID, inputs });
  await jsonFile(cwd, 'flow_run.json', run);
  const accounts = JSON.stringify(payers.map(({ account }) => account));
  await writeFile(join(cwd, 'accounts.json'), accounts, { mode: 0o600 });
  return run;
}

interface RunOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly preload?: readonly string[];
}

/** One step of many charts, the real program that does it in real mode, and the fake that judges. */
export class ManyChartsScene {
  readonly cwd: string;
  readonly workspace: CliWorkspace;
  readonly fake: FakeChartImg;

  private constructor(cwd: string, fake: FakeChartImg) {
    this.cwd = cwd;
    this.workspace = new CliWorkspace(cwd);
    this.fake = fake;
  }

  static async open(onTestFinished: Cleanup, options: ManyChartsOptions): Promise<ManyChartsScene> {
    const { payers, latencyMs = 0 } = options;
    const fake = await startFakeChartImg({ keys: payers.map(({ key }) => key), latencyMs });
    onTestFinished(() => fake.close());
    const cwd = await emptyFolder(onTestFinished);
    await writeManyCharts(cwd, options);
    return new ManyChartsScene(cwd, fake);
  }

  /** Without the accounts. */
  command({ flags = [], env = {}, preload = [] }: RunOptions = {}): Command {
    const files = ['--flow-run-path', 'flow_run.json', '--templates-dir', 'templates'];
    const mode = ['--charts-api-mode', 'real', '--output-summary', 'json'];
    const where = { CHART_IMG_BASE_URL: this.fake.url, ...env };
    return [['run-local', ...files, ...mode, ...flags], { cwd: this.cwd, env: where, preload }];
  }

  /** Runs it with the accounts to an end of its own, with a summary. */
  async finish(options: RunOptions = {}): Promise<Told & { readonly summary: RunSummary }> {
    const flags = ['--accounts-config-path', 'accounts.json', ...(options.flags ?? [])];
    const ended = told(await runCli(...this.command({ ...options, flags })));
    return { ...ended, summary: summaryOn(ended.stdout) };
  }

  /** Requests with this account's key that reached the fake, on whatever day. */
  asked({ account }: Payer): number {
    const byDay = Object.values(this.fake.counts[account.apiKey] ?? {});
    return byDay.reduce((sum, count) => sum + count, 0);
  }

  /** How many requests the fake answered with this status. */
  answered(status: number): number {
    return this.fake.requests.filter((request) => request.status === status).length;
  }

  usage({ account }: Payer): Promise<JsonObject> {
    return this.workspace.document('chart_img_accounts_usage', account.id);
  }

  async storedPngs(): Promise<number> {
    return (await this.workspace.objects()).filter((name) => name.endsWith('.png')).length;
  }
}

export function linesOf(log: readonly LogLine[], event: string): LogLine[] {
  return log.filter((line) => line.event === event);
}
