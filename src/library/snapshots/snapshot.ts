import { createHash } from 'node:crypto';
import type { ChartSnapshot, JsonObject } from '../../contracts/documents.js';
import { validateChartSnapshot } from '../../contracts/library.js';
import type { Write } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';

/** One stored chart, as its document has it. */
export type Snapshot = ChartSnapshot & { readonly id: string };

/** What is known of a chart when it was stored. */
export type NewSnapshot = Omit<ChartSnapshot, 'expiresAt' | 'state'>;

/** A chart that was stored just now, and is to be kept for `retentionMs` from when it was made. */
export function newSnapshot(chart: NewSnapshot, retentionMs: number): Snapshot {
  const expiresAt = new Date(Date.parse(chart.generatedAt) + retentionMs).toISOString();
  return { id: snapshotIdOf(chart), ...chart, expiresAt, state: 'stored' };
}

/** The highest there are, 13 digits; the year 2286 is the last. */
const END_OF_TIME_MS = 9_999_999_999_999;

/**
 * Ascending ids are newest first, so that a listing needs no index. The rest of it says what the
 * chart shows, so that a disk need not open what is not asked for. Its end comes from the
 * picture's address: who records one chart twice writes one document.
 */
export function snapshotIdOf(
  chart: Pick<NewSnapshot, 'generatedAt' | 'symbol' | 'interval' | 'chartTemplateId' | 'uri'>,
): string {
  const { symbol, interval, chartTemplateId, uri } = chart;
  const digits = createHash('sha256').update(uri).digest('hex').slice(0, 8);
  return `${idPrefix(Date.parse(chart.generatedAt))}_${symbol}_${interval}_${chartTemplateId}_${digits}`;
}

/** What the ids of a moment begin with; a later moment's is less. */
export function idPrefix(timeMs: number): string {
  return String(END_OF_TIME_MS - timeMs).padStart(13, '0');
}

/** Records a stored chart, in whatever commit makes it known; doing it again changes nothing. */
export function snapshotWrite({ id, ...data }: Snapshot): Write {
  return { kind: 'put', path: paths.chartSnapshot(id), data };
}

const FIELDS = [
  'symbol',
  'chartImgSymbol',
  'timeframe',
  'interval',
  'chartTemplateId',
  'uri',
  'generatedAt',
  'expiresAt',
  'triggerType',
  'generatedBy',
  'runId',
  'stepId',
  'bytes',
  'width',
  'height',
  'sha256',
  'source',
  'state',
  'metadata',
] as const satisfies readonly (keyof ChartSnapshot)[];

/** A stored document, without what somebody else keeps in it; `undefined`: it is none of ours. */
export function parseSnapshot(id: string, data: JsonObject): Snapshot | undefined {
  const own = FIELDS.filter((field) => Object.hasOwn(data, field));
  const checked = validateChartSnapshot(
    Object.fromEntries(own.map((field) => [field, data[field]])),
  );
  return checked.ok ? { id, ...checked.value } : undefined;
}
