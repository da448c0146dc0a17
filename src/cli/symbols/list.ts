import { parsePlaceConfig } from '../../config/run-config.js';
import { counted } from '../../counted.js';
import { ChartSymbols, type FoundSymbol } from '../../library/symbols/chart-symbols.js';
import { defaultsOf } from '../../library/symbols/indicators.js';
import { openBackend } from '../../worker/open-backend.js';
import { type Cell, table, widthOf } from '../table.js';
import type { TerminalStream } from '../terminal.js';
import { toldCommand } from '../told-command.js';

/** The command `symbols list`. */
export const listSymbols = toldCommand(async ({ flags }, session, { env, cwd, stdout }) => {
  const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
  const backend = await openBackend(config, 'read', session.logger);
  try {
    const found = await new ChartSymbols(backend.documents).list();
    return {
      exitCode: 0,
      text: `${lines(found, stdout).join('\n')}\n`,
      json: { symbols: found.map(toJson) },
    };
  } finally {
    await backend.close();
  }
});

const COLUMNS = ['SYMBOL', 'DRAWS', 'CLASS', 'STATE', 'TIMEFRAMES', 'INDICATORS', 'ALSO'];

function lines(found: readonly FoundSymbol[], stdout: TerminalStream): string[] {
  const rows = found.map((one): Cell[] => {
    if (one.kind === 'broken') return cells(one.symbol, '-', '-', 'invalid', '-', '-', '-');
    const { symbol, origin, document } = one;
    const { tradingViewSymbol, assetClass, enabled, timeframes, aliases = [], name } = document;
    return cells(
      symbol,
      tradingViewSymbol,
      assetClass,
      `${enabled ? 'on' : 'off'}${origin === 'starter' ? ', starter set' : ''}`,
      timeframes.join(' ') || '-',
      (document.defaultIndicators ?? defaultsOf(assetClass)).join(' ') || '-',
      [...aliases, ...(name === symbol ? [] : [name])].join(', ') || '-',
    );
  });
  const heads = COLUMNS.map((head) => ({ head }));
  const why = found.flatMap((one) =>
    one.kind === 'broken' ? one.errors.map((error) => `${one.symbol}: ${error}`) : [],
  );
  return [
    ...table(heads, rows, widthOf(stdout)),
    ...(why.length > 0 ? ['', ...why] : []),
    '',
    counted(found.length, 'symbol'),
  ];
}

function cells(...texts: string[]): Cell[] {
  return texts.map((text) => ({ text }));
}

/** As `symbols import` takes it. */
function toJson(found: FoundSymbol) {
  return found.kind === 'symbol'
    ? { symbol: found.symbol, origin: found.origin, ...found.document }
    : { symbol: found.symbol, origin: 'stored', errors: found.errors };
}
