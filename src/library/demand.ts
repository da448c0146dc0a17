import { dayOf } from '../accounts/usage.js';
import type { DocumentStore } from '../documents/document-store.js';
import { collections } from '../documents/paths.js';

/** How many charts of something there are. */
export interface Popular {
  readonly name: string;
  readonly charts: number;
}

/** What is drawn most, the most first. */
export interface Favourites {
  readonly charts: number;
  readonly symbols: readonly Popular[];
  /** In Chart-IMG's spelling. */
  readonly timeframes: readonly Popular[];
}

export interface Demand {
  readonly today: Favourites;
  /** Of all pictures that are kept. */
  readonly kept: Favourites;
  /** `false`: only the newest were counted. */
  readonly complete: boolean;
}

/** A look at the newest is cheap, and tells as much as a count of all. */
const NEWEST = 1_000;
const MOST_SHOWN = 5;

/** Counts the newest documents of `chart_snapshots`; `today`: a UTC day. Rejects as the store does. */
export async function lookAtDemand(documents: DocumentStore, today: string): Promise<Demand> {
  const page = await documents.list(collections.chartSnapshots, { limit: NEWEST });
  const charts = page.documents.flatMap(({ data: { symbol, interval, generatedAt, state } }) =>
    typeof symbol === 'string' && typeof interval === 'string' && typeof generatedAt === 'string'
      ? [{ symbol, interval, isToday: isOn(today, generatedAt), isKept: state === 'stored' }]
      : [],
  );
  return {
    today: favouritesOf(charts.filter(({ isToday }) => isToday)),
    kept: favouritesOf(charts.filter(({ isKept }) => isKept)),
    complete: page.next === undefined,
  };
}

function isOn(day: string, time: string): boolean {
  const epochMs = Date.parse(time);
  return !Number.isNaN(epochMs) && dayOf(epochMs) === day;
}

function favouritesOf(
  charts: readonly { readonly symbol: string; readonly interval: string }[],
): Favourites {
  return {
    charts: charts.length,
    symbols: mostOf(charts.map(({ symbol }) => symbol)),
    timeframes: mostOf(charts.map(({ interval }) => interval)),
  };
}

function mostOf(names: readonly string[]): Popular[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Array.from(counts, ([name, charts]) => ({ name, charts }))
    .sort((a, b) => b.charts - a.charts || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_SHOWN);
}
