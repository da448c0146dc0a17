import { FirestoreProxy } from '../../test/support/firestore-proxy.js';
import { payers, UNLIMITED } from '../../test/support/many-charts-scene.js';
import type { Group } from '../bench.js';
import type { Row } from '../row.js';
import { chartImg, firestore, puts, storage } from '../servers.js';
import { cloudStep, place } from '../steps.js';

/** What one step asks of Firestore and of Storage; counted once, since it does not vary. */
export const roundTrips: Group = async ({ root, atEnd }) => {
  const all = payers(20, ...UNLIMITED);
  const keys = all.map(({ key }) => key);
  const [charts, store, host] = await Promise.all([
    chartImg({ keys }, atEnd),
    storage(atEnd),
    firestore(atEnd),
  ]);
  const proxy = await FirestoreProxy.start(host);
  atEnd(() => proxy.close());
  const past = place(root, store, host, atEnd);
  const at = { ...past, firestore: proxy.host };

  const rows: Row[] = [];
  for (const count of [1, 8, 64]) {
    for (const accounts of [1, 20]) {
      const before = { calls: proxy.calls.length, puts: await puts(store.url) };
      const work = { charts: count, concurrency: 10, chartImg: charts };
      await cloudStep({ ...work, payers: all.slice(0, accounts) }, at);
      const calls = proxy.calls.slice(before.calls).map(({ name }) => name);
      const named = { group: 'round-trips', unit: 'calls' };
      const size = `${count} charts, ${accounts} accounts`;
      rows.push({
        ...named,
        what: `Firestore, ${size}`,
        figure: calls.length,
        limit: 5,
        medians: Object.fromEntries(
          [...new Set(calls)].map((name) => [name, calls.filter((one) => one === name).length]),
        ),
      });
      rows.push({
        ...named,
        what: `Storage writes, ${size}`,
        figure: (await puts(store.url)) - before.puts,
        limit: count + 1,
        medians: {},
      });
    }
  }
  return rows;
};
