import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundled } from '../../src/config/bundled.js';
import { BIN, flowRun, jsonFile } from '../../test/support/cli-run.js';
import { summaryOn } from '../../test/support/cli-workspace.js';
import { LocalWorker } from '../../test/support/local-processes.js';
import type { Group } from '../bench.js';
import { interleaved, median } from '../measure.js';
import { node } from '../node-process.js';
import { type Row, ratioRow } from '../row.js';
import { inFolder } from '../steps.js';

const RUNS = 10_000;
const COMMITS = 640;
const STEP_ID = 'charts:1H:test';

/** Documents on this disk: many processes at once, and many runs in one workspace. */
export const local: Group = async ({ rounds, root }) => {
  const rows: Row[] = [];
  for (const processes of [1, 4, 16]) {
    const rates: number[] = [];
    for (let round = 0; round < 3; round++) rates.push(await commitsPerSecond(root, processes));
    rows.push({
      group: 'local',
      what: `commits by ${processes} processes`,
      figure: median(rates),
      unit: 'a second',
      medians: {},
    });
  }
  return [...rows, await claimAmong(RUNS, rounds, root)];
};

/** Of two documents each, under their versions. From the first process's start, so their starts count. */
function commitsPerSecond(root: string, processes: number): Promise<number> {
  return inFolder(root, async (cwd) => {
    const since = performance.now();
    const job = ['count', join(cwd, 'workspace'), String(COMMITS / processes)];
    const ends = await Promise.all(
      Array.from({ length: processes }, () => new LocalWorker(job).ended),
    );
    if (ends.some(({ code }) => code !== 0)) throw new Error(ends.map((end) => end.stderr).join());
    return COMMITS / ((performance.now() - since) / 1_000);
  });
}

/** A mock step of one chart, which is hardly more than its claim and its settle. */
function claimAmong(count: number, rounds: number, root: string): Promise<Row> {
  return inFolder(root, async (cwd) => {
    await writeRuns(join(cwd, 'full', 'firestore', 'flow_runs'), count);
    let runs = 0;
    const claimIn = async (workspace: string) => {
      runs += 1;
      const runId = `20251221-120000_BTCUSDT_${String(runs).padStart(4, '0')}`;
      await jsonFile(cwd, 'flow_run.json', flowRun({ runId, stepId: STEP_ID }));
      const given = ['--flow-run-path', 'flow_run.json', '--templates-dir', bundled.templates];
      const how = ['--workspace', workspace, '--output-summary', 'json', '--quiet'];
      const { stdout } = await node([BIN, 'run-local', ...given, ...how], { cwd });
      return { durationMs: Number(summaryOn(stdout).durationMs) };
    };
    const medians = await interleaved(
      { full: () => claimIn('full'), empty: () => claimIn(`empty-${runs}`) },
      rounds * 2,
    );
    const { full, empty } = medians;
    return ratioRow(
      { group: 'local', what: `a claim among ${count} runs`, limit: 1.5 },
      { [`${count} ms`]: full.durationMs as number, 'empty ms': empty.durationMs as number },
    );
  });
}

/** With the lease that each of them left. */
async function writeRuns(folder: string, count: number): Promise<void> {
  const lease = JSON.stringify({ state: 'DONE' });
  for (let first = 0; first < count; first += 100) {
    const numbers = Array.from({ length: Math.min(100, count - first) }, (_, at) => first + at);
    await Promise.all(
      numbers.map(async (number) => {
        const runId = `20241221-${String(number).padStart(6, '0')}_BTCUSDT_old`;
        const leases = join(folder, runId, 'step_leases');
        await mkdir(leases, { recursive: true });
        const run = flowRun({ runId, stepId: STEP_ID, status: 'SUCCEEDED' });
        await writeFile(join(folder, `${runId}.json`), JSON.stringify(run));
        await writeFile(join(leases, `${encodeURIComponent(STEP_ID)}.json`), lease);
      }),
    );
  }
}
