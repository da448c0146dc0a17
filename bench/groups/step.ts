import { payers, UNLIMITED } from '../../test/support/many-charts-scene.js';
import type { Group } from '../bench.js';
import { interleaved } from '../measure.js';
import { ratioRow } from '../row.js';
import { chartImg, firestore, storage } from '../servers.js';
import { boundStep, cloudStep, place, type StepFigures, type Work } from '../steps.js';

const LATENCY_MS = 200;
const PAYERS = payers(10, ...UNLIMITED);

const SIZES = [
  { charts: 64, concurrency: 10, limit: 1.2 },
  { charts: 64, concurrency: 25, limit: 1.45 },
  { charts: 25, concurrency: 10, limit: 1.3 },
  { charts: 1, concurrency: 10, limit: 1.6 },
] as const;

/**
 * A step on `gcp` against the bare script: the same servers, the same charts at a time. Firestore and
 * Storage are in the step, imports are not; CPU and memory are of the whole process.
 */
export const step: Group = async ({ rounds, root, atEnd }) => {
  const keys = PAYERS.map(({ key }) => key);
  const [charts, store, documents] = await Promise.all([
    chartImg({ keys, latencyMs: LATENCY_MS }, atEnd),
    storage(atEnd),
    firestore(atEnd),
  ]);
  const at = place(root, store, documents, atEnd);
  const contenders = SIZES.flatMap((size) => {
    const work: Work = { ...size, payers: PAYERS, chartImg: charts };
    const run = async () => cloudStep(work, at);
    const bound = async () => boundStep(work, at);
    return [
      [nameOf(size, 'step'), run],
      [nameOf(size, 'bound'), bound],
    ] as const;
  });
  const medians = await interleaved(Object.fromEntries(contenders), rounds);
  const of = (size: (typeof SIZES)[number], who: 'step' | 'bound') =>
    medians[nameOf(size, who)] as StepFigures;

  const [large, , , one] = SIZES;
  const times = SIZES.map((size) =>
    ratioRow(
      {
        group: 'step',
        what: `${size.charts} charts of ${LATENCY_MS} ms, ${size.concurrency} at a time`,
        limit: size.limit,
      },
      { 'step ms': of(size, 'step').durationMs, 'bound ms': of(size, 'bound').durationMs },
    ),
  );
  return [
    ...times,
    ratioRow(
      { group: 'step', what: `CPU of ${large.charts} charts`, limit: 4 },
      { 'step ms': of(large, 'step').cpuMs, 'bound ms': of(large, 'bound').cpuMs },
    ),
    ratioRow(
      { group: 'step', what: `peak memory of ${large.charts} charts against 1`, limit: 1.7 },
      {
        '64 charts MB': of(large, 'step').peakMegabytes,
        '1 chart MB': of(one, 'step').peakMegabytes,
      },
    ),
  ];
};

function nameOf(size: (typeof SIZES)[number], who: 'step' | 'bound'): string {
  return `${who} ${size.charts} ${size.concurrency}`;
}
