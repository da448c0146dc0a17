import { isChartTemplateId } from '../contracts/ids.js';
import {
  HEIGHTS,
  isName,
  LONGEST_NAME,
  MOST_CHARTS,
  THEMES,
  TRIGGERS,
  WIDTHS,
} from '../library/check-order.js';
import type { ChartOrder } from '../library/library.js';
import { studiesOf } from '../library/symbols/indicators.js';
import type { GivenFlags } from './options.js';
import { CLI_DEFAULTS } from './run-config.js';
import { quoted, Source } from './source.js';
import { type WorkerConfig, workerConfig } from './worker-config.js';

/** On demand a picture of the last minutes will do. */
export const ON_DEMAND_TTL_MS = 300_000;

/** For a command that renders charts without a flow run. Rejects as `parseRunConfig` does. */
export async function parseOrderConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<WorkerConfig & { readonly order: ChartOrder; readonly out: OutPath | undefined }> {
  const source = new Source(flags, env, cwd);
  const config = await workerConfig(source, { ...CLI_DEFAULTS, cacheTtlMs: ON_DEMAND_TTL_MS });
  const order = chartOrder(source);
  const path = source.path('out');
  const isFile = path?.endsWith('.png') === true;
  if (isFile && order.symbols.length * order.timeframes.length > 1) {
    source.problems.push('--out: a file holds one chart; name a folder for several');
  }
  source.throwIfWrong();
  return { ...config, order, out: path === undefined ? undefined : { path, isFile } };
}

/** Where a copy of what was rendered goes. */
export interface OutPath {
  readonly path: string;
  /** `false`: a folder. */
  readonly isFile: boolean;
}

/** What charts are asked for on demand; what is wrong is added to the source's problems. */
function chartOrder(source: Source): ChartOrder {
  const { problems } = source;
  const [symbols, timeframes] = [source.list('symbol'), source.list('timeframe')];
  if (symbols.length === 0) problems.push('--symbol is required: name a symbol such as DAX');
  if (timeframes.length === 0) problems.push('--timeframe is required: name one such as 4h');
  if (symbols.length * timeframes.length > MOST_CHARTS) {
    problems.push(`--symbol, --timeframe: more than ${MOST_CHARTS} charts are asked for at once`);
  }
  const chartTemplateId = source.of('template').value;
  if (chartTemplateId !== undefined && !isChartTemplateId(chartTemplateId)) {
    problems.push(`--template: ${quoted(chartTemplateId)} is no chart template id`);
  }
  const indicators = source.list('indicators');
  if (chartTemplateId !== undefined && indicators.length > 0) {
    problems.push('--template and --indicators exclude each other');
  }
  const studies = studiesOf(indicators);
  if (!studies.ok) problems.push(...studies.errors.map((error) => `--indicators: ${error}`));
  const theme = source.of('theme').value;
  const known = THEMES.find((one) => one === theme);
  if (theme !== undefined && known === undefined) {
    problems.push(`--theme: ${quoted(theme)} is not one of ${THEMES.join(', ')}`);
  }
  const width = pixels(source, 'width', WIDTHS);
  const height = pixels(source, 'height', HEIGHTS);
  const generatedBy = source.of('generatedBy').value;
  if (generatedBy !== undefined && !isName(generatedBy)) {
    problems.push(`--generated-by: must be a text of 1 to ${LONGEST_NAME} characters`);
  }
  return {
    symbols,
    timeframes,
    ...(chartTemplateId !== undefined && { chartTemplateId }),
    ...(indicators.length > 0 && { indicators }),
    ...(known !== undefined && { theme: known }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    trigger: source.choice('trigger', TRIGGERS, 'manual'),
    ...(generatedBy !== undefined && { generatedBy }),
  };
}

function pixels(
  source: Source,
  option: 'width' | 'height',
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (source.of(option).value === undefined) return undefined;
  return source.option(option, { fallback: min, min, max, integer: true });
}
