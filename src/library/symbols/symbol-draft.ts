import type { ChartSymbol, JsonObject } from '../../contracts/documents.js';
import { isLibrarySymbol } from '../../contracts/library.js';
import { INTRADAY_AND_UP } from './starter-set.js';

/** A symbol of which only what matters was said; not checked. */
export function withDefaults(symbol: string, said: JsonObject): JsonObject {
  const usual: Partial<ChartSymbol> = {
    name: symbol,
    enabled: true,
    timeframes: [...INTRADAY_AND_UP],
  };
  return { ...usual, ...said };
}

/** In words, why a symbol's id is none; `undefined`: it is one. */
export function idProblem(symbol: string): string | undefined {
  if (isLibrarySymbol(symbol as unknown)) return undefined;
  const shown = JSON.stringify(symbol.slice(0, 60));
  const bare = symbol.replaceAll(/[^A-Za-z0-9._!&-]/g, '').replace(/^[^A-Za-z0-9]+/, '');
  const hint = isLibrarySymbol(bare) ? `, as in ${bare}, with ${shown} among its aliases` : '';
  return `${shown} is no id: at most 40 letters, digits and ._!&-, the first a letter or digit${hint}`;
}
