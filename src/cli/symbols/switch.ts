import { nearest } from '../../chart-img/nearest.js';
import { parsePlaceConfig } from '../../config/run-config.js';
import type { ChartSymbol } from '../../contracts/documents.js';
import { ConfigError } from '../../failures.js';
import { ChartSymbols, type KnownSymbol } from '../../library/symbols/chart-symbols.js';
import { openBackend } from '../../worker/open-backend.js';
import type { Command } from '../command.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';

/** The command `symbols enable`. */
export const enableSymbols = switchTo(true);

/** The command `symbols disable`. */
export const disableSymbols = switchTo(false);

function switchTo(enabled: boolean): Command {
  return toldCommand(async ({ flags, operands }, session, { env, cwd }) => {
    const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
    if (operands.length === 0) throw new ConfigError('name the symbols, one or several');
    const backend = await openBackend(config, 'write', session.logger);
    try {
      const symbols = new ChartSymbols(backend.documents);
      const known: KnownSymbol[] = [];
      for (const name of operands) known.push(await knownSymbol(symbols, name));
      const moved = known.filter(({ document }) => document.enabled !== enabled);
      const documents = new Map<string, ChartSymbol>(
        moved.map(({ symbol, document }) => [symbol, { ...document, enabled }]),
      );
      if (documents.size > 0) await symbols.putAll(documents);
      const word = enabled ? 'on' : 'off';
      return {
        exitCode: 0,
        text: toLines(
          known.map(
            ({ symbol, document }) =>
              `${word}  ${symbol}${document.enabled === enabled ? ', as it was' : ''}`,
          ),
        ),
        json: { ok: true, enabled, symbols: known.map(({ symbol }) => symbol) },
      };
    } finally {
      await backend.close();
    }
  });
}

/** Rejects with `ConfigError` for one that nobody knows, or that cannot be used. */
async function knownSymbol(symbols: ChartSymbols, name: string): Promise<KnownSymbol> {
  const found = await symbols.find(name);
  if (found?.kind === 'symbol') return found;
  if (found) {
    const why = found.errors.join('; ');
    throw new ConfigError(`${found.symbol} is not valid: ${why}; mend it with symbols set`);
  }
  const ids = (await symbols.list()).map(({ symbol }) => symbol);
  const near = nearest(name, ids);
  const hint = near === undefined ? 'symbols list shows them' : `did you mean ${near}?`;
  throw new ConfigError(`there is no symbol ${JSON.stringify(name.slice(0, 60))}; ${hint}`);
}
