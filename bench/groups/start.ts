import { bundled } from '../../src/config/bundled.js';
import { BIN, flowRun, jsonFile } from '../../test/support/cli-run.js';
import { payers, UNLIMITED } from '../../test/support/many-charts-scene.js';
import type { Group } from '../bench.js';
import { interleaved } from '../measure.js';
import { node } from '../node-process.js';
import { ratioRow } from '../row.js';
import { chartImg, firestore, storage } from '../servers.js';
import { cloudStep, inFolder, place } from '../steps.js';

/** These are short: many of them are as cheap as few steps, and a disk's hiccup weighs more. */
const TIMES_AS_MANY = 2;

/** From the start of the process to its end, against a Node that does nothing. */
export const start: Group = async ({ rounds, root, atEnd }) => {
  const all = payers(1, ...UNLIMITED);
  const [charts, store, host] = await Promise.all([
    chartImg({ keys: all.map(({ key }) => key) }, atEnd),
    storage(atEnd),
    firestore(atEnd),
  ]);
  const at = place(root, store, host, atEnd);
  const program = (...argv: readonly string[]) =>
    inFolder(root, (cwd) => node([BIN, ...argv], { cwd }));
  const mock = () =>
    inFolder(root, async (cwd) => {
      await jsonFile(cwd, 'flow_run.json', flowRun());
      const templates = ['--templates-dir', bundled.templates];
      return node([BIN, 'run-local', '--flow-run-path', 'flow_run.json', ...templates], { cwd });
    });
  const work = { charts: 1, concurrency: 10, payers: all, chartImg: charts };

  const wall = async (ran: Promise<{ readonly wallMs: number }>) => ({
    wallMs: (await ran).wallMs,
  });
  const medians = await interleaved(
    {
      nothing: () => wall(node(['-e', '0'], { cwd: root })),
      '--help': () => wall(program('--help')),
      '--version': () => wall(program('--version')),
      'a mock run on local': () => wall(mock()),
      'a chart of 0 ms on gcp': () => wall(cloudStep(work, at)),
    },
    rounds * TIMES_AS_MANY,
  );
  const nothingMs = medians.nothing.wallMs ?? Number.NaN;
  const limits = {
    '--help': 1.7,
    '--version': 1.7,
    'a mock run on local': 3,
    'a chart of 0 ms on gcp': 18,
  } as const;
  return Object.entries(limits).map(([what, limit]) => {
    const { wallMs = Number.NaN } = medians[what as keyof typeof limits];
    return ratioRow({ group: 'start', what, limit }, { ms: wallMs, 'node -e 0 ms': nothingMs });
  });
};
