import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toInterval } from '../../src/chart-img/intervals.js';
import { isChartTemplateId, isSymbol } from '../../src/contracts/ids.js';
import { isSnapshotId } from '../../src/contracts/library.js';
import {
  idPrefix,
  newSnapshot,
  parseSnapshot,
  snapshotIdOf,
  snapshotWrite,
} from '../../src/library/snapshots/snapshot.js';
import { aSnapshot } from '../support/library-samples.js';

const charts = fc.record({
  symbol: fc
    .oneof(fc.stringMatching(/^[A-Za-z0-9._!&-]{1,40}$/), fc.constant('..'))
    .filter((text) => isSymbol(text)),
  interval: fc
    .constantFrom('1m', '45m', '12h', '1D', '1M', '1Y')
    .filter((text) => toInterval(text) !== undefined),
  chartTemplateId: fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/)
    .filter((text) => isChartTemplateId(text)),
  uri: fc.constantFrom('gs://b/a.png', 'gs://b/b.png'),
  generatedAt: fc
    .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
});

describe('the id of a snapshot', () => {
  test('is an id, and the newest is the first', () => {
    fc.assert(
      fc.property(charts, charts, (a, b) => {
        const [first, second] = [snapshotIdOf(a), snapshotIdOf(b)];
        expect(isSnapshotId(first), first).toBe(true);
        if (a.generatedAt > b.generatedAt) expect(first < second).toBe(true);
      }),
    );
  });

  test('is the same for the same picture, another for another', () => {
    const chart = aSnapshot();
    expect(snapshotIdOf(chart)).toBe(snapshotIdOf({ ...chart }));
    expect(snapshotIdOf({ ...chart, uri: 'gs://b/other.png' })).not.toBe(snapshotIdOf(chart));
    expect(snapshotIdOf(chart)).toMatch(/^8230052784999_DAX_4h_ctpl_a_[0-9a-f]{8}$/);
    expect(idPrefix(Date.parse(chart.generatedAt))).toBe('8230052784999');
  });

  test.each(['', 'a', '8230052784999', '../8230052784999_DAX_4h_a_00000000', 'constructor'])(
    'is not %j',
    (text) => expect(isSnapshotId(text)).toBe(false),
  );
});

test('a snapshot is written, and read back, without what somebody else keeps beside it', () => {
  const { id: _, expiresAt: __, state: ___, ...chart } = aSnapshot();
  const snapshot = newSnapshot(chart, 86_400_000);
  expect(snapshot).toMatchObject({ state: 'stored', expiresAt: '2026-02-02T12:00:15.000Z' });
  const write = snapshotWrite(snapshot);
  if (write.kind !== 'put') throw new Error(write.kind);
  expect(write.path).toBe(`chart_snapshots/${snapshot.id}`);
  expect(parseSnapshot(snapshot.id, { ...write.data, theirs: 1 })).toEqual(snapshot);
  expect(parseSnapshot(snapshot.id, { ...write.data, bytes: 'many' })).toBeUndefined();
});
