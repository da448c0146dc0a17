import type { PlanName } from '../accounts/plans.js';
import type { ChartProvider } from '../chart-img/chart-provider.js';
import { toInterval } from '../chart-img/intervals.js';
import { unknownInterval } from '../chart-img/unknown-interval.js';
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { isLibrarySymbol } from '../contracts/library.js';
import type { DocumentStore } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { TemplateFallback } from '../engine/deps.js';
import type { StepError } from '../engine/outcome.js';
import {
  draftCharts,
  type PlannedChart,
  planCharts,
  type RenderableChart,
} from '../engine/plan.js';
import { checkAddressable, problemsOf } from './check-order.js';
import type { ChartOrder, Generated, LibraryError } from './library.js';
import type { ChartSymbols, FoundSymbol } from './symbols/chart-symbols.js';
import { allowsTimeframe } from './symbols/check-symbol.js';
import { DEFAULT_SIZE, fitToPlan } from './symbols/fit-to-plan.js';
import { defaultsOf, studiesOf } from './symbols/indicators.js';

/** One chart of an order, ready to be rendered. */
export interface OrderedChart {
  readonly symbol: string;
  /** As it was asked for. */
  readonly timeframe: string;
  readonly chart: RenderableChart;
  /** What was cut to fit a plan. */
  readonly notices: readonly string[];
  /** What the picture shows, as far as its ids do not tell. */
  readonly metadata: JsonObject;
}

export type Refused = Extract<Generated, { kind: 'refused' }>;

export interface PlanDeps {
  readonly documents: DocumentStore;
  readonly symbols: ChartSymbols;
  readonly provider: ChartProvider;
  readonly templates: TemplateFallback;
  readonly plans: readonly PlanName[];
  /** IANA name. */
  readonly timezone: string;
}

/**
 * An order by the planner of steps: symbols × timeframes, in that order, each with its request built
 * and checked, or refused. Calls nobody. Rejects with `ConfigError` for an order that names no chart.
 */
export async function planOrder(
  order: ChartOrder,
  deps: PlanDeps,
): Promise<(OrderedChart | Refused)[]> {
  checkAddressable(order);
  const wrong = problemsOf(order).join('; ');
  const named =
    wrong === ''
      ? await namedTemplate(order, deps)
      : ({ code: 'VALIDATION_FAILED', message: wrong } as const);
  const planned: (OrderedChart | Refused)[] = [];
  for (const name of order.symbols) {
    const found = await deps.symbols.find(name);
    for (const timeframe of order.timeframes) {
      const refuse = (error: LibraryError): Refused => {
        const symbol = found?.symbol ?? name;
        return { kind: 'refused', symbol, timeframe, error };
      };
      const problem = problemOf(name, timeframe, found, order.chartTemplateId);
      const template = problem ?? named ?? templateOfIndicators(order, found);
      if ('code' in template) {
        planned.push(refuse(template));
        continue;
      }
      const subject = { symbol: found?.symbol ?? name, timeframe, found };
      const chart = await planOne(order, subject, template, deps);
      planned.push('code' in chart ? refuse(chart) : chart);
    }
  }
  return planned;
}

/** A template's JSON, unchecked, and the indicators that it was made of. */
interface Template {
  readonly id: string;
  readonly json: unknown;
  readonly indicators?: readonly string[];
}

interface Subject {
  readonly symbol: string;
  readonly timeframe: string;
  readonly found: FoundSymbol | undefined;
}

async function planOne(
  order: ChartOrder,
  { symbol, timeframe, found }: Subject,
  template: Template,
  { provider, plans, timezone }: PlanDeps,
): Promise<OrderedChart | LibraryError> {
  const known = found?.kind === 'symbol' ? found.document : undefined;
  const { json, notices } = adapted(template.json, order, known?.tradingViewSymbol, plans);
  const inputs = {
    symbol: known?.tradingViewSymbol ?? symbol,
    timeframe,
    interval: toInterval(timeframe) ?? timeframe,
    minImages: 1,
    chartTemplateIds: [template.id],
  };
  const drafts = draftCharts(inputs, () => json, timezone);
  const requests = drafts.flatMap((draft) => (draft.kind === 'draft' ? [draft.request] : []));
  const foresights = await provider.foresee(requests);
  const [chart] = planCharts(drafts, (request) => foresights.get(request), plans);
  if (!chart || chart.kind === 'fail') return asError(chart);
  const { indicators } = template;
  const { theme } = order;
  const metadata = { ...(theme && { theme }), ...(indicators && { indicators: [...indicators] }) };
  return { symbol, timeframe, chart, notices, metadata };
}

function asError(chart: PlannedChart | undefined): LibraryError {
  if (chart?.kind !== 'fail') throw new Error('a planned chart is neither rendered nor failed');
  return libraryError(chart.error);
}

/** A step's failure in the library's words. */
export function libraryError({ code, message, details }: StepError): LibraryError {
  return { code, message, ...(details && { details: { ...details } }) };
}

/** `undefined`: the symbol may be drawn in this timeframe. */
function problemOf(
  name: string,
  timeframe: string,
  found: FoundSymbol | undefined,
  chartTemplateId: string | undefined,
): LibraryError | undefined {
  const shown = JSON.stringify(name.slice(0, 40));
  const details = { symbol: name.slice(0, 40) };
  if (found?.kind === 'broken') {
    const message = `chart_symbols/${found.symbol} cannot be used: ${found.errors.join('; ')}`;
    return { code: 'VALIDATION_FAILED', message, details };
  }
  if (!found && !(chartTemplateId !== undefined && isLibrarySymbol(name))) {
    const message = `${shown} is no known symbol; add it with symbols set, or name a template that brings its exchange`;
    return { code: 'SYMBOL_NOT_FOUND', message, details };
  }
  if (found && !found.document.enabled) {
    const message = `symbol ${found.symbol} is disabled; symbols enable ${found.symbol} allows it again`;
    return { code: 'SYMBOL_DISABLED', message, details };
  }
  if (toInterval(timeframe) === undefined) {
    const message = unknownInterval(timeframe);
    return { code: 'TIMEFRAME_INVALID', message, details: { ...details, timeframe } };
  }
  if (found && !allowsTimeframe(found.document, timeframe)) {
    const allowed = found.document.timeframes.join(', ') || 'none';
    const message = `${found.symbol} is not drawn in ${timeframe}; its timeframes are ${allowed}`;
    return { code: 'TIMEFRAME_INVALID', message, details: { ...details, timeframe } };
  }
  return undefined;
}

/** The store's own template first, then the fallback's; `undefined`: the order names none. */
async function namedTemplate(
  { chartTemplateId: id }: ChartOrder,
  { documents, templates }: PlanDeps,
): Promise<Template | undefined> {
  if (id === undefined) return undefined;
  const path = paths.template(id);
  const stored = (await documents.read([path])).get(path)?.data;
  return { id, json: stored ?? (await templates.find(id)) };
}

function templateOfIndicators(
  { indicators }: ChartOrder,
  found: FoundSymbol | undefined,
): Template | LibraryError {
  if (found?.kind !== 'symbol') throw new Error('without a template the symbol has to be known');
  const { defaultIndicators, assetClass } = found.document;
  const names = indicators ?? defaultIndicators ?? defaultsOf(assetClass);
  const studies = studiesOf(names);
  if (!studies.ok) return { code: 'VALIDATION_FAILED', message: studies.errors.join('; ') };
  const unique = [...new Set(names)];
  const id = ['ind', ...(unique.length > 0 ? unique : ['none'])].join('_');
  const request = {
    ...DEFAULT_SIZE,
    ...{ style: 'candle', theme: 'light', scale: 'regular' },
    studies: studies.value,
  };
  const description = ['price', ...unique].join(' + ');
  const json = { id, description, chartImgSymbolTemplate: '{symbol}', request };
  return { id, json, indicators: unique };
}

/** With the order's own wishes, the symbol that its document names, and what a plan can draw. */
function adapted(
  json: unknown,
  { theme, width, height }: ChartOrder,
  tradingViewSymbol: string | undefined,
  plans: readonly PlanName[],
): { readonly json: unknown; readonly notices: readonly string[] } {
  // What is no template the planner refuses, in its words.
  if (!isJsonObject(json) || !isJsonObject(json.request)) return { json, notices: [] };
  const wanted = {
    ...json.request,
    ...(theme !== undefined && { theme }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
  };
  const { request, notices } = fitToPlan(wanted, plans);
  const own = tradingViewSymbol === undefined ? {} : { chartImgSymbolTemplate: '{symbol}' };
  return { json: { ...json, ...own, request }, notices };
}
