import { Refused } from './state.js';

/** Renders rows as gcloud's `--format` does, of which the few forms in use are known. */
export function formatted(rows: readonly unknown[], format: string | undefined): string {
  const [, kind = '', columns = ''] =
    /^(csv\[no-heading\]|value(?:\[separator="."\])?)\((.*)\)$/s.exec(format ?? '') ?? [];
  if (kind === '') throw new Refused(`the fake knows no format ${format}`);
  const separator = kind.startsWith('csv') ? ',' : (/"(.)"/.exec(kind)?.[1] ?? '\t');
  const cells = columns.split(',').map((column) => column.trim());
  return rows.map((row) => `${cells.map((cell) => cellOf(row, cell)).join(separator)}\n`).join('');
}

/** One row for each member of each binding. */
export function flattened(policy: readonly { role: string; member: string }[]): unknown[] {
  return policy.map(({ role, member }) => ({ bindings: { role, members: member } }));
}

function cellOf(row: unknown, column: string): string {
  const [, path = '', call] = /^([\w.]+?)(?:\.(basename|list)\(\))?$/.exec(column) ?? [];
  if (path === '') throw new Refused(`the fake knows no column ${column}`);
  let value = row;
  for (const name of path.split('.')) {
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  if (value === undefined || value === null) return '';
  if (call === 'basename') return String(value).split('/').at(-1) ?? '';
  if (Array.isArray(value)) return value.join(call === 'list' ? ',' : ';');
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}
