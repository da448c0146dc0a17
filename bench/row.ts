/** One claim about the program's speed, measured. */
export interface Row {
  readonly group: string;
  readonly what: string;
  /** What is held against the limit. */
  readonly figure: number;
  /** `×`: a ratio. */
  readonly unit: string;
  /** The most that it may be; absent: it is told, and nothing is promised. */
  readonly limit?: number;
  /** What the figure was made of. */
  readonly medians: Readonly<Record<string, number>>;
}

export function isMissed({ figure, limit }: Row): boolean {
  // A figure that is no number meets no limit.
  return limit !== undefined && !(figure <= limit);
}

/** Of two medians, under the names by which they are shown. */
export function ratioRow(
  named: Pick<Row, 'group' | 'what'> & { readonly limit?: number },
  medians: Readonly<Record<string, number>>,
): Row {
  const [ours = Number.NaN, theirs = Number.NaN] = Object.values(medians);
  return { ...named, figure: ours / theirs, unit: '×', medians };
}
