/** The known word that was most likely meant; `undefined`: none is near enough to be offered. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const meant = word.trim().toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // Letters of another case are near: `volume` is `Volume`, whatever else looks alike.
    const other = candidate.toLowerCase();
    const bound = farthest(Math.max(meant.length, other.length));
    // Told apart by length alone where that suffices: the word may be as long as a document.
    if (Math.abs(meant.length - other.length) > bound) continue;
    const distance = editDistance(meant, other);
    if (distance > bound || distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** As `nearest`, also by initials: people write `RSI` for `Relative Strength Index`. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const near = nearest(word, known);
  if (near !== undefined) return near;
  const letters = word.trim().toUpperCase();
  return known.find((name) => name.includes(' ') && initialsOf(name) === letters);
}

/** One slip in three letters; in a shorter word everything is near everything. */
function farthest(length: number): number {
  return Math.floor(length / 3);
}

function initialsOf(name: string): string {
  return name
    .split(' ')
    .map((part) => part.slice(0, 1))
    .join('')
    .toUpperCase();
}

/** Damerau–Levenshtein, each pair of neighbours swapped at most once. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const substituted = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const distance = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, substituted);
      row.push(swapped ? Math.min(distance, at(i - 2, j - 2) + 1) : distance);
    }
  }
  return at(a.length, b.length);
}
