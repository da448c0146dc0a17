import { pngName } from '../artifacts/object-names.js';
import type { PlannedChart as PlanLine } from '../contracts/documents.js';
import type { StepOutcome } from './outcome.js';
import type { Situation } from './survey.js';
import type { Workload } from './workload.js';

/** Pure: what the step would do, chart by chart, and what it would fail with. */
export function planned(
  { run, selected, inputs, charts, usages }: Situation,
  workload: Workload,
  root: string | undefined,
): StepOutcome {
  const { stepId, status } = selected;
  const identity = { runId: run.runId, stepId, status };
  if ('error' in inputs) {
    const { error } = inputs;
    return { reason: 'planned', ...identity, minImages: null, plan: [], calls: [], error };
  }
  const plan = charts.map((chart): PlanLine => {
    const { chartTemplateId, request } = chart;
    const error = workload.failed.get(chartTemplateId) ?? null;
    const stored = workload.stored.get(chartTemplateId);
    const isThere = stored !== undefined || workload.cached.has(chartTemplateId);
    const step = { runId: run.runId, stepId, root };
    const name = pngName({ ...step, ...inputs, chartTemplateId }, new Date(0));
    return {
      chartTemplateId,
      action: error ? 'fail' : isThere ? 'reuse' : 'render',
      chartImgSymbol: request?.chartImgSymbol ?? null,
      interval: request?.interval ?? null,
      objectName: error
        ? null
        : (stored?.name ?? name.replace('19700101-000000', '<YYYYMMDD-HHmmss>')),
      error: error && { code: error.code, message: error.message },
    };
  });
  const possible = plan.filter(({ action }) => action !== 'fail').length;
  const first = plan.find(({ action }) => action === 'fail');
  const error =
    possible < inputs.minImages && first
      ? (workload.failed.get(first.chartTemplateId) ?? null)
      : null;
  const calls = usages.flatMap(({ account, used, limit }) => {
    const units = workload.units.get(account.id) ?? 0;
    return units > 0 ? [{ accountId: account.id, units, left: limit - used }] : [];
  });
  return { reason: 'planned', ...identity, minImages: inputs.minImages, plan, calls, error };
}
