import { payers } from '../../test/support/many-charts-scene.js';
import type { Group } from '../bench.js';
import { mediansOf } from '../measure.js';
import { type Row, ratioRow } from '../row.js';
import { chartImg, refusals } from '../servers.js';
import { localStep, type StepFigures } from '../steps.js';

const CHARTS = 64;
const KEYS = 5;
const LATENCY_MS = 200;
/** Of the smallest plan. */
const BURST = 3;
const REFILL_MS = 1_000;
/** The key with the most to do sends its burst at once and the rest one by one. */
const BOUND_MS = (Math.ceil(CHARTS / KEYS) - BURST) * REFILL_MS + LATENCY_MS;

/** Keys of the smallest plan on the local backend, against what their plans allow. */
export const paced: Group = async ({ rounds, root, atEnd }) => {
  const all = payers(KEYS);
  const runs: StepFigures[] = [];
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    // A fake of its own: one that was called before has not its whole burst left.
    const keys = all.map(({ key }) => key);
    const charts = await chartImg({ keys, latencyMs: LATENCY_MS }, atEnd);
    const work = { charts: CHARTS, concurrency: 10, payers: all, chartImg: charts };
    runs.push(await localStep(work, { root }));
    refused += await refusals(charts);
  }
  const { durationMs = Number.NaN } = mediansOf(runs);
  const what = `${CHARTS} charts, ${KEYS} keys of the smallest plan`;
  const calls: Row = {
    group: 'paced',
    what: `${what}: refused, in all ${rounds} runs`,
    figure: refused,
    unit: 'calls',
    limit: 0,
    medians: {},
  };
  return [
    ratioRow(
      { group: 'paced', what, limit: 1.05 },
      { 'step ms': durationMs, 'their plans allow ms': BOUND_MS },
    ),
    calls,
  ];
};
