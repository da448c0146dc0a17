import { statSync } from 'node:fs';
import type { Account } from '../contracts/documents.js';
import { validateAccounts } from '../contracts/validate.js';
import { reasonOf } from '../failures.js';
import { readInput } from '../local-disk/input-file.js';
import { SHORTEST_KEY } from '../log/redact.js';
import { parseJson } from './json-file.js';

export interface LoadedAccounts {
  readonly accounts: readonly Account[];
  /** None of them shows any of the file's text: it holds keys. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const KNOWN_FIELDS = new Set([
  'id',
  'apiKey',
  'dailyLimit',
  'plan',
  'requestsPerSecond',
  'burst',
  'warnAt',
  'stopAt',
  'priority',
]);

/** From the file where one is named, else from the variable's JSON, else none. */
export async function loadAccounts(
  path: string | undefined,
  json: string | undefined,
): Promise<LoadedAccounts> {
  if (path !== undefined) {
    const name = `accounts file ${path}`;
    try {
      const { mode } = statSync(path);
      const text = (await readInput(path)).toString('utf8');
      const loaded = parseAccounts(text, name);
      const open = `${name} ${OPEN_TO_OTHERS}`;
      return isOpenToOthers(mode) ? { ...loaded, warnings: [...loaded.warnings, open] } : loaded;
    } catch (error) {
      return refused([`${name} cannot be read: ${reasonOf(error)}`]);
    }
  }
  return json ? parseAccounts(json, 'CHART_IMG_ACCOUNTS_JSON') : refused([]);
}

function parseAccounts(text: string, name: string): LoadedAccounts {
  const parsed = parseJson(text);
  if (!parsed.ok) return refused([`${name} ${parsed.what}; write a list such as ${EXAMPLE}`]);
  const { accounts, problems, warnings } = checkAccounts(parsed.value);
  const placed = (lines: readonly string[]) => lines.map((line) => `${name}: ${line}`);
  return { accounts, problems: placed(problems), warnings: placed(warnings) };
}

/** The remedy wherever they are missed. */
export const NAME_ACCOUNTS =
  'name a file with --accounts-config-path, or set CHART_IMG_ACCOUNTS_JSON';

const EXAMPLE = '[{"id": "acc-1", "apiKey": "…"}]';

/** Stands in a starter's accounts file until there is a key. */
export const KEY_PLACEHOLDER = 'PUT-YOUR-CHART-IMG-KEY-HERE';

/** Pure. Each problem and warning is `path: message`; none shows anything of the accounts. */
export function checkAccounts(parsed: unknown): LoadedAccounts {
  if (!Array.isArray(parsed)) {
    return refused([`(document): is no list of accounts; write one such as ${EXAMPLE}`]);
  }
  if (parsed.length === 0) {
    return refused([`(document): is a list without accounts; write one such as ${EXAMPLE}`]);
  }
  const checked = validateAccounts(parsed);
  if (!checked.ok) return refused(checked.errors);
  const accounts = checked.value;
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [index, account] of accounts.entries()) {
    const earlier = accounts.slice(0, index);
    if (account.id in Object.prototype) problems.push(`[${index}].id: is not allowed`);
    // Ids stand in logs and document names.
    if (
      accounts.some(({ apiKey }) => account.id.includes(apiKey) && apiKey.length >= SHORTEST_KEY)
    ) {
      problems.push(`[${index}].id: holds a key; give the account another name`);
    }
    const twin = earlier.findIndex(({ id }) => id === account.id);
    if (twin !== -1) problems.push(`[${index}].id: is the same as [${twin}].id`);
    if (earlier.some(({ apiKey }) => apiKey === account.apiKey)) {
      problems.push(`[${index}].apiKey: the same key is there twice`);
    }
    const unknown = Object.keys(account).filter((field) => !KNOWN_FIELDS.has(field));
    if (unknown.length > 0) {
      warnings.push(`[${index}]: has ${unknown.length} unknown field(s), not used`);
    }
    if (account.apiKey === KEY_PLACEHOLDER) {
      warnings.push(`[${index}].apiKey: is a placeholder; put a key of Chart-IMG there`);
    }
  }
  return problems.length > 0 ? refused(problems) : { accounts, problems, warnings };
}

export const OPEN_TO_OTHERS = 'can be read by others; chmod 600 it';

export function isOpenToOthers(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0;
}

function refused(problems: readonly string[]): LoadedAccounts {
  return { accounts: [], problems, warnings: [] };
}
