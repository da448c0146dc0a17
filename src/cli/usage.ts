import { Chalk } from 'chalk';
import { NAME_ACCOUNTS } from '../config/accounts.js';
import { parseUsageConfig } from '../config/look-config.js';
import { counted } from '../counted.js';
import type { Demand, Favourites, Popular } from '../library/demand.js';
import { type AccountView, lookAtUsage, type UsageView } from '../library/usage-view.js';
import { openBackend } from '../worker/open-backend.js';
import { duration } from './durations.js';
import { type Cell, table, widthOf } from './table.js';
import { colourLevel, type TerminalStream } from './terminal.js';
import { toldCommand } from './told-command.js';

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

/** Pure: the same facts for people. */
export function usageText(view: UsageView, stream: TerminalStream, env: NodeJS.ProcessEnv): string {
  const resets = `a new day begins in ${duration(view.resetsInSeconds * 1_000)}, at 00:00 UTC`;
  if (view.accounts.length === 0) {
    const lines = [`no accounts: ${NAME_ACCOUNTS}; the ledger knows of none`, resets];
    return `${[...lines, ...demandLines(view.demand)].join('\n')}\n`;
  }
  const chalk = new Chalk({ level: colourLevel(stream, env) });
  const width = widthOf(stream);
  const isNarrow = width < 60;
  const isAscii = isNarrow || (stream.isTTY === true && env.TERM === 'dumb');
  const paintOf = ({ used, warnsFrom, exhausted }: AccountView) => {
    if (exhausted) return chalk.red;
    return used !== null && warnsFrom !== null && used >= warnsFrom ? chalk.yellow : chalk.green;
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
  const lines = [...table(columns, rows, width), ...why, ...thresholds(view, width), '', sum];
  return `${[...lines, ...demandLines(view.demand)].join('\n')}\n`;
}

/** Apart: beside each other on one line the two tables would be too wide for a terminal. */
function thresholds({ accounts }: UsageView, width: number): string[] {
  const rows = accounts.flatMap(({ id, warnsFrom, stopsOnDemandAt, leftOnDemand }) =>
    stopsOnDemandAt === null
      ? []
      : [[{ text: id }, ...[warnsFrom, stopsOnDemandAt, leftOnDemand].map(cell)]],
  );
  const columns = [
    { head: 'ON DEMAND' },
    { head: 'WARNS FROM', align: 'right' },
    { head: 'STOPS AT', align: 'right' },
    { head: 'LEFT', align: 'right' },
  ] as const;
  return rows.length > 0 ? ['', ...table(columns, rows, width)] : [];
}

function cell(number: number | null): Cell {
  return { text: told(number) };
}

function demandLines({ today, kept, complete }: Demand): string[] {
  if (kept.charts + today.charts === 0) return [];
  const line = (when: string, { charts, symbols, timeframes }: Favourites) =>
    charts === 0
      ? []
      : [
          `${when}: ${counted(charts, 'chart')}, most of ${inWords(symbols)}; in ${inWords(timeframes)}`,
        ];
  const all = complete ? 'kept in the library' : `kept in the library, of the newest`;
  return ['', ...line('today', today), ...line(all, kept)];
}

function inWords(popular: readonly Popular[]): string {
  return popular.map(({ name, charts }) => `${name} (${charts})`).join(', ');
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
