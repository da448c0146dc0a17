import type { ChartSymbol, JsonObject } from '../../contracts/documents.js';
import { isLibrarySymbol } from '../../contracts/library.js';
import { counted } from '../../counted.js';
import type { DocumentStore, Write } from '../../documents/document-store.js';
import { collections, paths } from '../../documents/paths.js';
import { StoreUnavailable } from '../../failures.js';
import { checkSymbol } from './check-symbol.js';
import { STARTER_SET } from './starter-set.js';

/** A symbol as the library knows it. */
export interface KnownSymbol {
  readonly kind: 'symbol';
  readonly symbol: string;
  /** `starter`: nobody wrote a document; it is one of those that come with the package. */
  readonly origin: 'stored' | 'starter';
  readonly document: ChartSymbol;
}

/** A document that somebody wrote and that cannot be used; `errors` are `path: message`. */
export interface BrokenSymbol {
  readonly kind: 'broken';
  readonly symbol: string;
  readonly errors: readonly string[];
}

export type FoundSymbol = KnownSymbol | BrokenSymbol;

const PAGE = 300;

/**
 * The collection `chart_symbols` over the starter set: a stored document goes before the starter's
 * of the same id. Every method rejects with `StoreUnavailable` or `ConfigError` as the store does.
 */
export class ChartSymbols {
  readonly #documents: DocumentStore;

  constructor(documents: DocumentStore) {
    this.#documents = documents;
  }

  /** All of them, by ascending id. */
  async list(): Promise<FoundSymbol[]> {
    const found = new Map<string, FoundSymbol>();
    for (const [symbol, document] of STARTER_SET) {
      found.set(symbol, { kind: 'symbol', symbol, origin: 'starter', document });
    }
    let after: string | undefined;
    do {
      const page = await this.#documents.list(collections.chartSymbols, {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { id, data } of page.documents) found.set(id, judged(id, data));
      after = page.next;
    } while (after !== undefined);
    return [...found.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  }

  /** By its id, else by an alias, else by its name; `undefined`: nobody knows it. */
  async find(name: string): Promise<FoundSymbol | undefined> {
    if (isLibrarySymbol(name)) {
      const path = paths.chartSymbol(name);
      const stored = (await this.#documents.read([path])).get(path);
      if (stored) return judged(name, stored.data);
      const starter = STARTER_SET.get(name);
      if (starter) return { kind: 'symbol', symbol: name, origin: 'starter', document: starter };
    }
    const all = (await this.list()).filter((found) => found.kind === 'symbol');
    return (
      all.find(({ document }) => document.aliases?.includes(name)) ??
      all.find(({ document }) => document.name === name)
    );
  }

  /** Writes one that `checkSymbol` found right; fields that are not the library's stay. */
  put(symbol: string, document: ChartSymbol): Promise<void> {
    return this.putAll(new Map([[symbol, document]]));
  }

  /** All of them or none. */
  async putAll(documents: ReadonlyMap<string, ChartSymbol>): Promise<void> {
    const writes = Array.from(documents, ([symbol, document]) => writeOf(symbol, document));
    const result = await this.#documents.commit(writes);
    if (result.status === 'committed') return;
    const what = counted(writes.length, 'symbol');
    throw new StoreUnavailable(`no answer to the write of ${what}: run it again, it is the same`);
  }
}

const FIELDS = [
  'name',
  'aliases',
  'tradingViewSymbol',
  'enabled',
  'assetClass',
  'timeframes',
  'defaultIndicators',
] as const satisfies readonly (keyof ChartSymbol)[];

function writeOf(symbol: string, document: ChartSymbol): Write {
  const fields = FIELDS.map((field) => [[field], document[field]] as const);
  return { kind: 'patch', path: paths.chartSymbol(symbol), fields };
}

/** What somebody else keeps beside our fields is no reason to refuse them. */
function judged(symbol: string, data: JsonObject): FoundSymbol {
  const own = Object.fromEntries(
    FIELDS.filter((field) => Object.hasOwn(data, field)).map((field) => [field, data[field]]),
  );
  const checked = checkSymbol(own);
  return checked.ok
    ? { kind: 'symbol', symbol, origin: 'stored', document: checked.value }
    : { kind: 'broken', symbol, errors: checked.errors };
}
