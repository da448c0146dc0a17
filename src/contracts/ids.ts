import * as compiled from './generated/validators.js';

/**
 * Allow-lists for the names that become field paths, object names and file names; the patterns
 * stand in `schemas/flow_run.schema.json`. A name that every object has (`constructor`,
 * `__proto__`) is never an id: Firestore throws for some of them and drops others silently.
 */
export const isRunId = allowed(compiled.runId);
export const isStepId = allowed(compiled.stepId);
export const isChartTemplateId = allowed(compiled.chartTemplateId);
export const isSymbol = allowed(compiled.symbol);

/** A compiled pattern as a check of an id. */
export function allowed(matches: (value: unknown) => boolean): (value: unknown) => value is string {
  return (value): value is string =>
    typeof value === 'string' && matches(value) && !(value in Object.prototype);
}
