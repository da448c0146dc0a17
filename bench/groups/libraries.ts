import { payers, UNLIMITED } from '../../test/support/many-charts-scene.js';
import type { Group } from '../bench.js';
import type { LibraryName } from '../bound/work.js';
import { interleaved } from '../measure.js';
import { ratioRow } from '../row.js';
import { chartImg, firestore, storage } from '../servers.js';
import { boundStep, place, type Work } from '../steps.js';

const PAYERS = payers(1, ...UNLIMITED);
const MIXES: Readonly<Record<string, readonly LibraryName[]>> = {
  got: ['got'],
  storage: ['storage'],
  firestore: ['firestore'],
  'all three': ['got', 'storage', 'firestore'],
};

/** The bare script with the program's libraries: how much of a step's time is theirs, not ours. */
export const libraries: Group = async ({ rounds, root, atEnd }) => {
  const keys = PAYERS.map(({ key }) => key);
  const [charts, store, documents] = await Promise.all([
    chartImg({ keys, latencyMs: 200 }, atEnd),
    storage(atEnd),
    firestore(atEnd),
  ]);
  const at = place(root, store, documents, atEnd);
  const rows = [];
  for (const [count, concurrency] of [
    [64, 10],
    [64, 25],
    [1, 10],
  ] as const) {
    const work: Work = { charts: count, concurrency, payers: PAYERS, chartImg: charts };
    const mixes = Object.entries(MIXES).map(
      ([name, mix]) => [name, () => boundStep(work, at, mix)] as const,
    );
    const { bound, ...others } = await interleaved(
      Object.fromEntries([['bound', () => boundStep(work, at)] as const, ...mixes]),
      rounds,
    );
    const what = `${count} charts, ${concurrency} at a time`;
    for (const [name, { durationMs = Number.NaN }] of Object.entries(others)) {
      const medians = { [`${name} ms`]: durationMs, 'bound ms': bound?.durationMs ?? Number.NaN };
      rows.push(ratioRow({ group: 'libraries', what: `${what}, with ${name}` }, medians));
    }
  }
  return rows;
};
