import { table } from '../src/cli/table.js';
import { isMissed, type Row } from './row.js';

const COLUMNS = [
  { head: 'GROUP' },
  { head: 'WHAT' },
  { head: 'MEASURED', align: 'right' },
  { head: 'LIMIT', align: 'right' },
  { head: '' },
  { head: 'MEDIANS' },
] as const;

/** For people. */
export function toTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.group,
    row.what,
    worded(row.figure, row.unit),
    row.limit === undefined ? '-' : worded(row.limit, row.unit),
    verdictOf(row),
    Object.entries(row.medians)
      .map(([name, value]) => `${name} ${digits(value)}`)
      .join(', '),
  ]);
  const texts = cells.map((line) => line.map((text) => ({ text })));
  return `${table(COLUMNS, texts, Number.POSITIVE_INFINITY).join('\n')}\n`;
}

export function verdictOf(row: Row): 'pass' | 'FAIL' | 'told' {
  if (row.limit === undefined) return 'told';
  return isMissed(row) ? 'FAIL' : 'pass';
}

/** A ratio is never rounded onto the good side of its limit: 1.204 of 1.2 is not 1.20. */
function worded(figure: number, unit: string): string {
  return unit === '×' ? `${digits(figure, 3)}×` : `${digits(figure)} ${unit}`;
}

function digits(value: number, most = value < 100 ? 1 : 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: most, useGrouping: false });
}
