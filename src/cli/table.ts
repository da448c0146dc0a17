import type { TerminalStream } from './terminal.js';

/** Text of one line; the paint goes on after the width is known, so that it takes no room. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Column {
  readonly head: string;
  readonly align?: 'right';
}

const GAP = 2;
/** A column that has to give way keeps so many; where that is still too wide, rows are stacked. */
const NARROWEST = 8;

/** How wide a table may be; infinite in a pipe, and on a terminal that does not know its width. */
export function widthOf({ isTTY, columns }: TerminalStream): number {
  return isTTY && columns ? columns : Number.POSITIVE_INFINITY;
}

/** Pure: lines of a table that is no wider than `width`. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): string[] {
  const lines = [columns.map(({ head }): Cell => ({ text: head })), ...rows].map((cells) =>
    cells.map((cell) => ({ ...cell, text: plain(cell.text) })),
  );
  const natural = columns.map((_, at) =>
    Math.max(...lines.map((cells) => displayWidth(cells[at]?.text ?? ''))),
  );
  const widths = shrunk(natural, width - GAP * (columns.length - 1));
  if (!widths) return stacked(columns, rows);
  return lines.map((cells) =>
    cells
      .map(({ text, paint }, at) => {
        const cut = truncate(text, widths[at] ?? 0);
        const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(cut)));
        const painted = paint ? paint(cut) : cut;
        return columns[at]?.align === 'right' ? space + painted : painted + space;
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** The widest gives way first; `undefined`: it does not fit. */
function shrunk(natural: readonly number[], room: number): number[] | undefined {
  const widths = [...natural];
  for (let over = sum(widths) - room; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    const left = (widths[widest] ?? 0) - 1;
    if (left < NARROWEST) return undefined;
    widths[widest] = left;
  }
  return widths;
}

/** One line a cell; a terminal wraps what is too long, and nothing is lost. */
function stacked(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string[] {
  return rows.flatMap((cells, index) => [
    ...(index === 0 ? [] : ['']),
    ...cells.flatMap(({ text, paint }, at) => {
      const words = plain(text);
      return words === '' ? [] : [`${columns[at]?.head}: ${paint ? paint(words) : words}`];
    }),
  ]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (displayWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** East Asian wide characters and pictures take two cells. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Cells on a terminal, of text without colours. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Rows that lines take on a terminal of this width, wrapped ones counted. */
export function rowsOf(lines: readonly string[], width: number): number {
  return sum(
    lines.map((line) => Math.max(1, Math.ceil(displayWidth(withoutColours(line)) / width))),
  );
}

function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it begins every colour
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '');
}

/** On one line, and unable to steer the terminal: what documents hold was written by anybody. */
export function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(
      /[\p{Cc}\p{Cf}]/gu,
      (char) => `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0')}`,
    );
}
