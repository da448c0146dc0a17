import { type ChartSymbol, isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { childPath } from '../../contracts/json-path.js';
import type { Validated } from '../../contracts/validate.js';
import { checkSymbol } from './check-symbol.js';
import { idProblem, withDefaults } from './symbol-draft.js';

/** More than these would not fit into the one commit that writes them all or none. */
const MOST = 400;

/** One symbol as the file has it. */
interface Entry {
  /** In the file. */
  readonly path: string;
  /** Where its id stands. */
  readonly idPath: string;
  readonly symbol: unknown;
  readonly said: unknown;
}

/**
 * Pure: the symbols of a file, by id, or everything that is wrong as `path: message`. A list of
 * objects with their `symbol`, or an object of symbols by id, either of them also under `symbols`,
 * as `symbols list --json` prints it.
 */
export function readSymbolFile(content: unknown): Validated<Map<string, ChartSymbol>> {
  const entries = entriesOf(content);
  if (entries === undefined || entries.length === 0) {
    return { ok: false, errors: ['(document): must be a list of symbols, or an object of them'] };
  }
  if (entries.length > MOST) {
    return { ok: false, errors: [`(document): ${entries.length} symbols are more than ${MOST}`] };
  }
  const errors: string[] = [];
  const found = new Map<string, ChartSymbol>();
  /** Every name that a symbol is asked for by, and where it stands. */
  const names = new Map<string, string>();
  const claim = (name: string, path: string) => {
    const first = names.get(name);
    if (first === undefined) names.set(name, path);
    else errors.push(`${path}: ${JSON.stringify(name)} stands also at ${first}`);
  };
  for (const { path, idPath, symbol, said } of entries) {
    if (typeof symbol !== 'string') {
      errors.push(`${idPath}: is required`);
      continue;
    }
    const problem = idProblem(symbol);
    if (problem !== undefined) errors.push(`${idPath}: ${problem}`);
    claim(symbol, idPath);
    if (!isJsonObject(said)) {
      errors.push(`${path}: must be an object`);
      continue;
    }
    const checked = checkSymbol(withDefaults(symbol, said));
    if (!checked.ok) errors.push(...checked.errors.map((error) => under(path, error)));
    else found.set(symbol, checked.value);
    const aliases = checked.ok ? (checked.value.aliases ?? []) : [];
    for (const [index, alias] of aliases.entries()) claim(alias, `${path}.aliases[${index}]`);
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: found };
}

function entriesOf(content: unknown): Entry[] | undefined {
  const isWrapped = isJsonObject(content) && 'symbols' in content;
  const root = isWrapped ? 'symbols' : '';
  const all = isWrapped ? content.symbols : content;
  if (Array.isArray(all)) {
    return all.map((one: unknown, index) => {
      const path = childPath(root, index);
      const { symbol, ...said } = isJsonObject(one) ? one : {};
      return { path, idPath: childPath(path, 'symbol'), symbol, said: listedBefore(said) };
    });
  }
  if (!isJsonObject(all)) return undefined;
  return Object.entries(all).map(([symbol, said]) => {
    const path = childPath(root, symbol);
    return { path, idPath: path, symbol, said };
  });
}

/** What `symbols list` says beside the document. */
function listedBefore({ origin: _, ...said }: JsonObject): JsonObject {
  return said;
}

/** `(document): …` and `a.b: …` of a part, as the whole has it. */
function under(path: string, error: string): string {
  if (error.startsWith('(document)')) return error.replace('(document)', path);
  return error.startsWith('[') ? `${path}${error}` : `${path}.${error}`;
}
