/** What one run of a contender was measured by: `durationMs`, `cpuMs`, … */
export type Figures = Readonly<Record<string, number>>;

/**
 * Runs all contenders once a round, `A B C A B C …`: what else the machine does meanwhile is then
 * shared by all. Their order turns by one each round, so that nobody always comes after the same
 * other. One round more comes first and does not count: files are cold, servers not yet compiled.
 */
export async function interleaved<Name extends string>(
  contenders: Readonly<Record<Name, (round: number) => Promise<Figures>>>,
  rounds: number,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(contenders) as Name[];
  const all = new Map(names.map((name) => [name, [] as Figures[]]));
  for (let round = 0; round <= rounds; round++) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      const figures = await contenders[name](round);
      if (round > 0) all.get(name)?.push(figures);
    }
  }
  const medians = names.map((name) => [name, mediansOf(all.get(name) ?? [])]);
  return Object.fromEntries(medians) as Record<Name, Figures>;
}

/** Of each figure by itself; every run has the same ones. */
export function mediansOf(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(runs.map((figures) => figures[name] as number))]),
  );
}

/** Of an even number the mean of the two in the middle. Throws for none, and for what is no number. */
export function median(values: readonly number[]): number {
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new Error(`no median of [${values.join(', ')}]`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
