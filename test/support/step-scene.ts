import { join } from 'node:path';
import type { JsonObject, RunSummary } from '../../src/contracts/documents.js';
import {
  CliProcess,
  type Command,
  type Ended,
  flowRun,
  jsonFile,
  type LogLine,
  logLines,
  runCli,
} from './cli-run.js';
import { CliWorkspace, summaryOn } from './cli-workspace.js';

export const RUN_ID = '20251221-120000_BTCUSDT_demo';
export const STEP_ID = 'charts:1H:test';
export const ACCOUNT_ID = 'acc-1';
export const THREE_CHARTS = [
  'ctpl_price_ma1226_vol_v1',
  'ctpl_price_rsi14_stochrsi_v1',
  'ctpl_price_psar_adi_v1',
] as const;
export const MANIFEST = `gs://local/charts/${RUN_ID}/${STEP_ID}/manifest.json`;

export const CRASH_AT = new URL('./local-crash-at.mjs', import.meta.url).href;

export interface RunOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Modules to preload, as URLs. */
  readonly preload?: readonly string[];
}

/** How a run of the program ended, and all it logged. */
export interface Told extends Ended {
  readonly log: readonly LogLine[];
}

/** One step, an account that pays for it, and the folder in which the program does it. */
export class StepScene {
  readonly cwd: string;
  readonly workspace: CliWorkspace;

  private constructor(cwd: string) {
    this.cwd = cwd;
    this.workspace = new CliWorkspace(cwd);
  }

  static async in(
    cwd: string,
    charts: readonly string[] = THREE_CHARTS,
    minImages = charts.length,
  ): Promise<StepScene> {
    const requests = charts.map((chartTemplateId) => ({ chartTemplateId }));
    const run = flowRun({ runId: RUN_ID, stepId: STEP_ID, inputs: { minImages, requests } });
    await jsonFile(cwd, 'flow_run.json', run);
    await jsonFile(cwd, 'accounts.json', [{ id: ACCOUNT_ID, apiKey: 'not-a-real-key-0123456789' }]);
    return new StepScene(cwd);
  }

  #command({ flags = [], env = {}, preload = [] }: RunOptions = {}): Command {
    const files = ['--flow-run-path', 'flow_run.json', '--accounts-config-path', 'accounts.json'];
    const output = ['--output-summary', 'json', '--verbose'];
    return [['run-local', ...files, ...output, ...flags], { cwd: this.cwd, env, preload }];
  }

  /** A process of its own, which can be killed. */
  start(options?: RunOptions): CliProcess {
    return new CliProcess(...this.#command(options));
  }

  /** What it leaves unended is held as long as this process lives: then `start` one to be outlived. */
  async run(options?: RunOptions): Promise<Told> {
    return told(await runCli(...this.#command(options)));
  }

  /** Runs it to an end of its own, with a summary. */
  async finish(options?: RunOptions): Promise<Told & { readonly summary: RunSummary }> {
    const run = await this.run(options);
    return { ...run, summary: summaryOn(run.stdout) };
  }

  step(): Promise<JsonObject> {
    return this.workspace.step(RUN_ID, STEP_ID);
  }

  lease(): Promise<JsonObject> {
    return this.workspace.lease(RUN_ID, STEP_ID);
  }

  unitsUsed(): Promise<unknown> {
    return this.workspace.unitsUsed(ACCOUNT_ID);
  }

  /** A path in the scene's folder, outside of the workspace. */
  path(name: string): string {
    return join(this.cwd, name);
  }
}

export function told(ended: Ended): Told {
  return { ...ended, log: logLines(ended.stderr) };
}

/** The charts that an event speaks of, in request order. */
export function chartsOf(log: readonly LogLine[], event: string): string[] {
  const named = log.filter((line) => line.event === event);
  return inRequestOrder(named.map(({ chartTemplateId }) => String(chartTemplateId)));
}

export function inRequestOrder(charts: readonly string[]): string[] {
  const order: readonly string[] = THREE_CHARTS;
  return [...charts].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/**
 * Units are counted by UTC day: what midnight came into is done again, in another folder.
 * `round` only acts; what it resolves to judges.
 */
export async function onOneUtcDay(
  round: (again: number) => Promise<() => Promise<void> | void>,
): Promise<void> {
  for (let again = 0; ; again++) {
    const today = new Date().toISOString().slice(0, 10);
    const judge = await round(again);
    if (new Date().toISOString().startsWith(today)) return judge();
  }
}
