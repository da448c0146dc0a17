import { Chalk } from 'chalk';
import { dayOf, readUsage } from '../accounts/usage.js';
import { NAME_ACCOUNTS } from '../config/accounts.js';
import { parseUsageConfig } from '../config/look-config.js';
import type { Account } from '../contracts/documents.js';
import type { DocumentStore, StoredDocument } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import { openBackend } from '../worker/open-backend.js';
import { duration } from './durations.js';
import { type Cell, table, widthOf } from './table.js';
import { colourLevel, type TerminalStream } from './terminal.js';
import { toldCommand } from './told-command.js';

const COLLECTION = 'chart_img_accounts_usage';
const DAY_MS = 86_400_000;

/** One account today, without its key. */
export interface AccountView {
  readonly id: string;
  /** `false`: nobody named it here, only the ledger knows it. */
  readonly configured: boolean;
  readonly plan: string | null;
  readonly priority: number | null;
  /** `null` here and below: it cannot be known. */
  readonly used: number | null;
  readonly limit: number | null;
  readonly left: number | null;
  readonly exhausted: boolean;
  /** Why nothing may be spent although the count would allow it. */
  readonly closed: string | null;
}

export interface UsageView {
  readonly day: string;
  /** When the day's quota begins anew. */
  readonly resetsAt: string;
  readonly resetsInSeconds: number;
  readonly accounts: readonly AccountView[];
  /** Of the accounts whose numbers are known. */
  readonly total: { readonly used: number; readonly limit: number; readonly left: number };
}

/** The command `usage`: what is left of each account's quota today. */
export const usage = toldCommand(async ({ flags }, session, { env, cwd, stdout }) => {
  const config = await parseUsageConfig(flags, env, cwd);
  session.know(config.accounts);
  for (const warning of config.warnings) session.logger.warn('config_warning', warning);
  const backend = await openBackend(config, 'read', session.logger);
  try {
    const view = await lookAtUsage(config.accounts, backend.documents);
    return { exitCode: 0, text: usageText(view, stdout, env), json: view };
  } finally {
    await backend.close();
  }
});

async function lookAtUsage(
  accounts: readonly Account[],
  documents: DocumentStore,
): Promise<UsageView> {
  const listed = new Map<string, StoredDocument>();
  let after: string | undefined;
  do {
    const page = await documents.list(COLLECTION, {
      limit: 300,
      ...(after !== undefined && { after }),
    });
    for (const { id, ...document } of page.documents) listed.set(id, document);
    after = page.next;
  } while (after !== undefined);
  // A listing does not tell the store's time; a reading does, also of what is not there.
  const ids = accounts.map(({ id }) => id);
  const reading = await documents.read((ids.length > 0 ? ids : ['clock']).map(paths.usage));
  return viewUsage(accounts, (id) => reading.get(paths.usage(id)), listed, reading.readTimeMs);
}

/** Pure. Sorted by priority, then by id. */
export function viewUsage(
  accounts: readonly Account[],
  documentOf: (accountId: string) => StoredDocument | undefined,
  listed: ReadonlyMap<string, StoredDocument>,
  nowMs: number,
): UsageView {
  const day = dayOf(nowMs);
  const known = new Set(accounts.map(({ id }) => id));
  const views = [
    ...accounts.map((account) => viewAccount(account, documentOf(account.id), true, day)),
    ...[...listed]
      .filter(([id]) => !known.has(id))
      .map(([id, document]) => viewAccount({ id, apiKey: '' }, document, false, day)),
  ].sort(byPriority);
  const total = { used: 0, limit: 0, left: 0 };
  for (const { used, limit, left } of views) {
    if (used === null || limit === null) continue;
    total.used += used;
    total.limit += limit;
    total.left += left ?? 0;
  }
  const resetsAtMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
  return {
    day,
    resetsAt: new Date(resetsAtMs).toISOString(),
    resetsInSeconds: Math.ceil((resetsAtMs - nowMs) / 1_000),
    accounts: views,
    total,
  };
}

function viewAccount(
  account: Account,
  document: StoredDocument | undefined,
  configured: boolean,
  day: string,
): AccountView {
  const usage = readUsage(account, document, day);
  const isJunk = usage.closed !== undefined && usage.limit === 0;
  // Whose limit stands nowhere has one that nobody here can tell.
  const hasLimit = configured || document?.data.dailyLimit !== undefined;
  const hasPriority = configured || document?.data.priority !== undefined;
  const closed = usage.closed ?? null;
  return {
    id: account.id,
    configured,
    plan: account.plan ?? null,
    priority: isJunk || !hasPriority ? null : usage.priority,
    used: isJunk ? null : usage.used,
    limit: isJunk || !hasLimit ? null : usage.limit,
    left: closed === null && !hasLimit ? null : usage.left,
    exhausted: (closed !== null || hasLimit) && usage.left === 0,
    closed,
  };
}

/** Without a priority: the default one. */
function byPriority(a: AccountView, b: AccountView): number {
  const difference = (a.priority ?? 0) - (b.priority ?? 0);
  if (difference !== 0) return difference;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Pure: the same facts for people. */
export function usageText(view: UsageView, stream: TerminalStream, env: NodeJS.ProcessEnv): string {
  const resets = `a new day begins in ${duration(view.resetsInSeconds * 1_000)}, at 00:00 UTC`;
  if (view.accounts.length === 0) {
    return `no accounts: ${NAME_ACCOUNTS}; the ledger knows of none\n${resets}\n`;
  }
  const chalk = new Chalk({ level: colourLevel(stream, env) });
  const width = widthOf(stream);
  const isNarrow = width < 60;
  const isAscii = isNarrow || (stream.isTTY === true && env.TERM === 'dumb');
  const paintOf = ({ used, limit, exhausted }: AccountView) => {
    if (exhausted) return chalk.red;
    return used !== null && limit !== null && used >= limit * 0.8 ? chalk.yellow : chalk.green;
  };
  const rows = view.accounts.map((account): Cell[] => [
    { text: account.id },
    { text: account.plan ?? '-' },
    { text: told(account.priority) },
    { text: told(account.used) },
    { text: told(account.limit) },
    { text: told(account.left) },
    {
      text: bar(account.used, account.limit, { cells: isNarrow ? 8 : 10, isAscii }),
      paint: paintOf(account),
    },
    { text: stateOf(account), paint: paintOf(account) },
  ]);
  const columns = [
    { head: 'ACCOUNT' },
    { head: 'PLAN' },
    { head: 'PRIO', align: 'right' },
    { head: 'USED', align: 'right' },
    { head: 'LIMIT', align: 'right' },
    { head: 'LEFT', align: 'right' },
    { head: 'TODAY' },
    { head: 'STATE' },
  ] as const;
  const { used, limit, left } = view.total;
  const unknown = view.accounts.filter(({ used, limit }) => used === null || limit === null);
  const apart = unknown.length > 0 ? `, ${unknown.length} of unknown limit apart` : '';
  const together =
    unknown.length < view.accounts.length
      ? `together ${used} of ${limit} used, ${left} left${apart}`
      : `limits are unknown: ${NAME_ACCOUNTS}`;
  // Whole reasons below: in the table they would push everything else out.
  const reasons = view.accounts.flatMap(({ id, closed }) =>
    closed === null ? [] : [[{ text: id }, { text: closed }]],
  );
  const why =
    reasons.length > 0
      ? ['', ...table([{ head: 'CLOSED' }, { head: 'WHY' }], reasons, Number.POSITIVE_INFINITY)]
      : [];
  const sum = `${together}; ${resets}`;
  return `${[...table(columns, rows, width), ...why, '', sum].join('\n')}\n`;
}

function told(number: number | null): string {
  return number === null ? '-' : String(number);
}

function stateOf({ closed, exhausted, configured }: AccountView): string {
  const state = closed !== null ? 'closed' : exhausted ? 'exhausted' : 'open';
  return configured ? state : `${state}, ledger only`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Pure: how much is used. Something used is seen, and full is only what is full. */
export function bar(
  used: number | null,
  limit: number | null,
  { cells, isAscii }: { readonly cells: number; readonly isAscii: boolean },
): string {
  if (used === null || limit === null) return '-';
  const steps = isAscii ? 1 : 8;
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  const all = cells * steps;
  const rounded = Math.round(share * all);
  const filled = share === 1 ? all : Math.min(all - 1, used > 0 ? Math.max(1, rounded) : rounded);
  if (isAscii) return `${'#'.repeat(filled)}${'.'.repeat(cells - filled)}`;
  const whole = Math.floor(filled / 8);
  const part = EIGHTHS[filled % 8] ?? '';
  return `${'█'.repeat(whole)}${part}${'░'.repeat(cells - whole - part.length)}`;
}
