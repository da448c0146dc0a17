import { setTimeout as sleep } from 'node:timers/promises';
import { LiveProvider, type LiveSettings } from '../../../src/chart-img/live/live-provider.js';
import { judge } from '../../../src/chart-img/verdict.js';
import { sampleChart } from './sample-chart.js';

export interface CallerTask {
  readonly settings: LiveSettings;
  readonly apiKey: string;
  readonly calls: number;
  readonly pauseMs: number;
}

export interface CallerReport {
  /** `kind: message`, or `chart`. */
  readonly verdicts: readonly string[];
  /** By how much the calls raised the process's peak. */
  readonly grownBytes: number;
}

/** Calls, one after the other, in a process of their own: for its memory, and for its environment. */
const { settings, apiKey, calls, pauseMs } = JSON.parse(String(process.argv[2])) as CallerTask;
const provider = new LiveProvider(settings);
const verdicts: string[] = [];
const before = process.resourceUsage().maxRSS;
for (let call = 0; call < calls; call++) {
  if (call > 0) await sleep(pauseMs);
  const chart = sampleChart();
  const verdict = judge(
    await provider.render({ chart, apiKey, signal: new AbortController().signal }),
  );
  verdicts.push(verdict.kind === 'chart' ? 'chart' : `${verdict.kind}: ${verdict.message}`);
}
const grownBytes = (process.resourceUsage().maxRSS - before) * 1_024;
process.stdout.write(JSON.stringify({ verdicts, grownBytes } satisfies CallerReport));
provider.close();
