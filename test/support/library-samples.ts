import {
  type NewSnapshot,
  newSnapshot,
  type Snapshot,
} from '../../src/library/snapshots/snapshot.js';

const DAY_MS = 86_400_000;

/** A chart of the library; what is given takes the place of what it would have. */
export function aSnapshot(given: Partial<NewSnapshot> = {}, retentionDays = 60): Snapshot {
  const chart: NewSnapshot = {
    symbol: 'DAX',
    chartImgSymbol: 'XETR:DAX',
    timeframe: '4h',
    interval: '4h',
    chartTemplateId: 'ctpl_a',
    uri: 'gs://local/library/DAX/4h/20260201-120015_ctpl_a_0123abcd.png',
    generatedAt: '2026-02-01T12:00:15.000Z',
    triggerType: 'manual',
    bytes: 100,
    width: 800,
    height: 600,
    sha256: '0'.repeat(64),
    source: 'fixture',
    ...given,
  };
  return newSnapshot(chart, retentionDays * DAY_MS);
}
