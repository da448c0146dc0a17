import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { isRunId, isStepId } from '../contracts/ids.js';
import type { Logger } from '../log/logger.js';
import type { StepOutcome } from './outcome.js';

/** A run as far as selecting needs it: addressable steps, in ascending order of their ids. */
export interface Run {
  readonly runId: string;
  readonly data: JsonObject;
  readonly steps: JsonObject;
}

type NotAddressable = Extract<StepOutcome, { reason: 'not-addressable' }>;

/** Checks what must hold before anything of the run can be named, let alone written. */
export function addressRun(data: JsonObject, stepId: string | undefined): Run | NotAddressable {
  const { runId, steps } = data;
  const refuse = (message: string): NotAddressable => ({
    reason: 'not-addressable',
    runId: isRunId(runId) ? runId : null,
    stepId: isStepId(stepId) ? stepId : null,
    message,
  });
  if (!isRunId(runId)) {
    return refuse(
      `runId: ${runId === undefined ? 'is required' : `${quoted(runId)} is not a run id`} (like 20251221-120000_BTCUSDT_demo)`,
    );
  }
  if (!isJsonObject(steps) || Object.keys(steps).length === 0) {
    return refuse('steps: the flow run has no steps');
  }
  if (stepId === undefined) return { runId, data, steps };
  if (!isStepId(stepId)) return refuse(`--step-id: ${quoted(stepId)} is not a step id`);
  const step = Object.hasOwn(steps, stepId) ? steps[stepId] : undefined;
  if (!isJsonObject(step)) {
    return refuse(
      `--step-id: run ${runId} has no step ${stepId}; it has ${listed(Object.keys(steps).map(named))}`,
    );
  }
  if (step.stepType !== 'CHART_EXPORT') {
    return refuse(
      `--step-id: ${stepId} is of type ${quoted(step.stepType)}, this worker does CHART_EXPORT`,
    );
  }
  if (typeof step.status !== 'string') {
    return refuse(`steps[${quoted(stepId)}].status: is required`);
  }
  return { runId, data, steps };
}

/** The CHART_EXPORT steps that can be named, ascending by code unit. */
export function chartExportSteps(run: Run, logger?: Logger): string[] {
  const ours = Object.keys(run.steps).filter((id) => stepOf(run, id)?.stepType === 'CHART_EXPORT');
  const hostile = ours.filter((id) => !isStepId(id));
  for (const id of hostile) {
    logger?.warn('step_id_passed_over', `step ${quoted(id)} is passed over: its id is not allowed`);
  }
  return ours.filter(isStepId).sort((a, b) => (a < b ? -1 : 1));
}

export function stepOf(run: Run, stepId: string): JsonObject | undefined {
  const step = Object.hasOwn(run.steps, stepId) ? run.steps[stepId] : undefined;
  return isJsonObject(step) ? step : undefined;
}

/** Some names for a sentence. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** An id as it is where it can break no line, else quoted. */
export function named(id: string): string {
  return isStepId(id) ? id : quoted(id);
}

/** Any value on one line, cut. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
