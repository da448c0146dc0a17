import type { ChartsConfig } from '../../config/charts-config.js';
import { isSymbol } from '../../contracts/ids.js';
import { ConfigError } from '../../failures.js';
import type { SnapshotFilter } from '../../library/snapshots/snapshots.js';
import { ChartSymbols } from '../../library/symbols/chart-symbols.js';
import type { OpenBackend } from '../../worker/backend.js';

/** What the flags ask for, the symbol under the name that its charts bear. */
export async function chosenCharts(
  { symbol, timeframe, chartTemplateId, since }: ChartsConfig,
  { documents }: Pick<OpenBackend, 'documents'>,
): Promise<SnapshotFilter> {
  const known = symbol === undefined ? undefined : await new ChartSymbols(documents).find(symbol);
  if (symbol !== undefined && !known && !isSymbol(symbol as unknown)) {
    throw new ConfigError(
      `there is no symbol ${JSON.stringify(symbol.slice(0, 60))}; symbols list shows them`,
    );
  }
  return { symbol: known?.symbol ?? symbol, timeframe, chartTemplateId, since };
}
