import type { GivenFlags } from '../../config/options.js';
import { parsePlaceConfig } from '../../config/run-config.js';
import type { ChartSymbol, JsonObject } from '../../contracts/documents.js';
import { ConfigError } from '../../failures.js';
import { ChartSymbols } from '../../library/symbols/chart-symbols.js';
import { checkSymbol } from '../../library/symbols/check-symbol.js';
import { isIndicator, unknownIndicator } from '../../library/symbols/indicators.js';
import { idProblem, withDefaults } from '../../library/symbols/symbol-draft.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { changeLine, diffJson } from '../templates/json-diff.js';
import { toldCommand } from '../told-command.js';

/** The command `symbols set`. */
export const setSymbol = toldCommand(async ({ flags, operands }, session, { env, cwd }) => {
  const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
  const [asked = ''] = operands;
  if (asked === '') throw new ConfigError('name the symbol: symbols set DAX --indicators EMA_20');
  const said = saidIn(flags);
  if (Object.keys(said).length === 0) {
    throw new ConfigError(`say what to set of ${asked}: ${FLAGS.join(', ')}`);
  }
  const dryRun = flags.dryRun === true;
  const backend = await openBackend(config, dryRun ? 'read' : 'write', session.logger);
  try {
    const symbols = new ChartSymbols(backend.documents);
    const found = await symbols.find(asked);
    const symbol = found?.symbol ?? asked;
    const problem = idProblem(symbol);
    if (problem !== undefined) throw new ConfigError(problem);
    const before = found?.kind === 'symbol' ? found.document : undefined;
    const document = checked(symbol, merged(symbol, before, said));
    const isStored = found?.kind === 'symbol' && found.origin === 'stored';
    const changes = diffJson(before && { ...before }, { ...document });
    const isSame = changes.length === 0 && isStored;
    if (!dryRun && !isSame) await symbols.put(symbol, document);
    const word = isSame ? 'same' : `${dryRun ? 'would be ' : ''}${before ? 'changed' : 'new'}`;
    const shown = before ? changes.map((change) => `  ${changeLine(change)}`) : factsOf(document);
    return {
      exitCode: 0,
      text: toLines([`${word}  ${symbol}  ${document.tradingViewSymbol}`, ...shown]),
      json: { ok: true, dryRun, written: !dryRun && !isSame, symbol, ...document },
    };
  } finally {
    await backend.close();
  }
});

const FLAGS = [
  '--trading-view-symbol',
  '--asset-class',
  '--name',
  '--aliases',
  '--timeframes',
  '--indicators',
];

/** `null`: what was there is to go. */
function saidIn(flags: GivenFlags): JsonObject {
  const { tradingViewSymbol, assetClass, name, aliases, timeframes, indicators } = flags;
  return {
    ...(typeof tradingViewSymbol === 'string' && { tradingViewSymbol }),
    ...(typeof assetClass === 'string' && { assetClass }),
    ...(typeof name === 'string' && { name }),
    ...(typeof aliases === 'string' && { aliases: aliases === 'none' ? null : listed(aliases) }),
    ...(typeof timeframes === 'string' && { timeframes: listed(timeframes) }),
    ...(typeof indicators === 'string' && {
      defaultIndicators: indicators === 'default' ? null : indicatorsIn(indicators),
    }),
  };
}

function merged(symbol: string, before: ChartSymbol | undefined, said: JsonObject): JsonObject {
  const document = before ? { ...before, ...said } : withDefaults(symbol, said);
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));
}

function listed(text: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

function indicatorsIn(text: string): string[] {
  const names = listed(text);
  const wrong = names.filter((name) => !isIndicator(name));
  if (wrong.length > 0) {
    throw new ConfigError(`--indicators: ${wrong.map(unknownIndicator).join('; ')}`);
  }
  return names;
}

function checked(symbol: string, document: JsonObject): ChartSymbol {
  const found = checkSymbol(document);
  if (found.ok) return found.value;
  const errors = found.errors.map((error) => {
    if (error === 'tradingViewSymbol: is required') return 'name it with --trading-view-symbol';
    if (error === 'assetClass: is required') return 'name its class with --asset-class';
    return error;
  });
  throw new ConfigError(`${symbol} is not written: ${errors.join('; ')}`);
}

function factsOf(document: ChartSymbol): string[] {
  return Object.entries(document).map(
    ([field, value]) => `  ${field}: ${Array.isArray(value) ? value.join(', ') : value}`,
  );
}
