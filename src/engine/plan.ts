import type { ChartNeeds, PlanName } from '../accounts/plans.js';
import { needsOf } from '../chart-img/chart-needs.js';
import type { Foresight } from '../chart-img/chart-provider.js';
import { type ChartRequest, toChartRequest } from '../chart-img/chart-request.js';
import { nearestInterval, supportedIntervals, toInterval } from '../chart-img/intervals.js';
import { checkTemplate } from '../chart-img/template-check.js';
import { type ChartTemplate, isJsonObject } from '../contracts/documents.js';
import { isChartTemplateId, isSymbol } from '../contracts/ids.js';
import { validateChartExportStep, validateChartTemplate } from '../contracts/validate.js';
import { type Run, stepOf } from './flow-run.js';
import type { StepError } from './outcome.js';

/**
 * One requested chart: either what to ask for, or why it cannot be asked for. `warnings` are what
 * is doubtful in its template, each `path: message`.
 */
export type PlannedChart =
  | {
      readonly kind: 'render';
      readonly chartTemplateId: string;
      readonly template: ChartTemplate;
      readonly request: ChartRequest;
      readonly needs: ChartNeeds;
      readonly foresight: Exclude<Foresight, { kind: 'missing' }>;
      readonly warnings?: readonly string[];
    }
  | {
      readonly kind: 'fail';
      readonly chartTemplateId: string;
      readonly request?: ChartRequest;
      readonly error: StepError;
      readonly warnings?: readonly string[];
    };

export type RenderableChart = Extract<PlannedChart, { kind: 'render' }>;

/** What a step asks for, after its inputs were checked. */
export interface StepInputs {
  readonly symbol: string;
  /** As the flow run spells it. */
  readonly timeframe: string;
  readonly interval: string;
  readonly minImages: number;
  readonly chartTemplateIds: readonly string[];
}

/** Inputs that are wrong as a whole: the step fails, nobody is called, nothing is stored. */
export interface InvalidInputs {
  readonly error: StepError;
}

/** Pure. The first few problems of `checkInputs` as one failure. */
export function readInputs(run: Run, stepId: string): StepInputs | InvalidInputs {
  const checked = checkInputs(run, stepId);
  if (!('problems' in checked)) return checked;
  return { error: { code: 'VALIDATION_FAILED', message: listed(checked.problems) } };
}

/** Pure. All that is wrong with the step's inputs is said at once, each as `path: message`. */
export function checkInputs(
  run: Run,
  stepId: string,
): StepInputs | { readonly problems: readonly string[] } {
  const step = stepOf(run, stepId) ?? {};
  const { scope } = run.data;
  const rawSymbol = isJsonObject(scope) ? scope.symbol : undefined;
  const symbol = typeof rawSymbol === 'string' ? rawSymbol.trim() : rawSymbol;
  const checked = validateChartExportStep(step);
  const prefix = `steps[${JSON.stringify(stepId)}].`;
  const problems = checked.ok ? [] : checked.errors.map((error) => `${prefix}${error}`);

  if (!isSymbol(symbol)) {
    problems.push(
      symbol === undefined
        ? 'scope.symbol: is required'
        : 'scope.symbol: must be a base symbol such as BTCUSDT (letters, digits and . _ ! & -, at most 40)',
    );
  }
  const { timeframe } = step;
  const interval = typeof timeframe === 'string' ? toInterval(timeframe) : undefined;
  if (typeof timeframe === 'string' && timeframe !== '' && interval === undefined) {
    const near = nearestInterval(timeframe);
    const hint = near === undefined ? '' : `; nearest is ${near}`;
    problems.push(
      `${prefix}timeframe: ${JSON.stringify(timeframe)} is not one of ${supportedIntervals().join(', ')}${hint}`,
    );
  }
  if (!checked.ok) return { problems };

  const { minImages, requests } = checked.value.inputs;
  const chartTemplateIds = requests.map(({ chartTemplateId }) => chartTemplateId);
  for (const [index, id] of chartTemplateIds.entries()) {
    const path = `${prefix}inputs.requests[${index}].chartTemplateId`;
    if (chartTemplateIds.indexOf(id) < index) problems.push(`${path}: ${id} is asked for twice`);
    else if (!isChartTemplateId(id)) problems.push(`${path}: ${id} is not allowed`);
  }
  if (minImages !== undefined && minImages > requests.length) {
    problems.push(
      `${prefix}inputs.minImages: ${minImages} is more than the ${requests.length} charts asked for`,
    );
  }
  if (problems.length > 0 || !isSymbol(symbol) || interval === undefined) return { problems };
  return {
    symbol,
    timeframe: checked.value.timeframe,
    interval,
    minImages: minImages ?? requests.length,
    chartTemplateIds,
  };
}

/** The ids that may become document paths, whether or not the rest of the inputs is right. */
export function requestedTemplateIds(run: Run, stepId: string): string[] {
  const inputs = stepOf(run, stepId)?.inputs;
  const requests = isJsonObject(inputs) ? inputs.requests : undefined;
  if (!Array.isArray(requests)) return [];
  const ids = requests.map((request: unknown) =>
    isJsonObject(request) ? request.chartTemplateId : undefined,
  );
  return [...new Set(ids.filter(isChartTemplateId))].slice(0, 64);
}

/** A chart with its request built, or failed; what the provider can foresee is not asked yet. */
export type DraftedChart =
  | (Omit<RenderableChart, 'foresight' | 'kind'> & { readonly kind: 'draft' })
  | Extract<PlannedChart, { kind: 'fail' }>;

/** Pure. `templateOf` answers with unchecked JSON, `undefined` where there is no such template. */
export function draftCharts(
  inputs: StepInputs,
  templateOf: (chartTemplateId: string) => unknown,
  timezone: string,
): DraftedChart[] {
  return inputs.chartTemplateIds.map((chartTemplateId): DraftedChart => {
    const fail = (message: string): DraftedChart => ({
      kind: 'fail',
      chartTemplateId,
      error: { code: 'VALIDATION_FAILED', message, details: { chartTemplateId } },
    });
    const found = templateOf(chartTemplateId);
    if (found === undefined) return fail(`no chart template ${chartTemplateId}`);
    const checked = validateChartTemplate(found);
    if (!checked.ok) {
      return fail(`chart template ${chartTemplateId}: ${checked.errors.join('; ')}`);
    }
    const template = checked.value;
    if (template.id !== chartTemplateId) {
      return fail(
        `chart template ${chartTemplateId}: id: must be ${chartTemplateId}, not ${template.id}`,
      );
    }
    const request = toChartRequest(template, { ...inputs, timezone });
    return { kind: 'draft', chartTemplateId, template, request, needs: needsOf(template.request) };
  });
}

/**
 * Pure. What can be known before a call is a failure before a call. The plans at hand matter to
 * calls alone: a recording is replayed whatever its size, and needs no account.
 */
export function planCharts(
  drafts: readonly DraftedChart[],
  foresightOf: (request: ChartRequest) => Foresight | undefined,
  plansAtHand: readonly PlanName[],
): PlannedChart[] {
  return drafts.map((draft): PlannedChart => {
    if (draft.kind === 'fail') return draft;
    const { chartTemplateId, request, template } = draft;
    const foresight = foresightOf(request) ?? { kind: 'call', source: 'chart-img' };
    const check = checkTemplate(template, foresight.kind === 'call' ? plansAtHand : []);
    const doubts = check.warnings.length > 0 ? { warnings: check.warnings } : {};
    const fail = (error: StepError): PlannedChart => {
      return { kind: 'fail', chartTemplateId, request, error, ...doubts };
    };
    if (check.errors.length > 0) {
      const message = `chart template ${chartTemplateId}: ${listed(check.errors)}`;
      return fail({ code: 'VALIDATION_FAILED', message, details: { chartTemplateId } });
    }
    if (foresight.kind !== 'missing') return { ...draft, kind: 'render', foresight, ...doubts };
    const { fixtureKey } = foresight;
    return fail({
      code: 'CHART_API_MOCK_MISSING',
      message: `no fixture ${fixtureKey}`,
      details: { chartTemplateId, symbol: request.chartImgSymbol, fixtureKey },
    });
  });
}

/** For one line: the first five in words. */
export function listed(problems: readonly string[]): string {
  const shown = problems.slice(0, 5);
  const more = problems.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
