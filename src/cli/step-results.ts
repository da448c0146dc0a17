import type { WorkerConfig } from '../config/worker-config.js';
import type { RunSummary } from '../contracts/documents.js';
import type { StepOutcome } from '../engine/outcome.js';
import { type EndingSignal, isError, viewOf } from './outcome-view.js';
import { lastLine, toSummary } from './summary.js';

/** The steps that a command of several did or tried, each as `run-local` would tell of it. */
export interface StepResults {
  readonly summaries: readonly RunSummary[];
  /** A line a step. */
  readonly lines: readonly string[];
  /** The worst of all, as `run-local` would exit; 0: there is none. */
  readonly exitCode: number;
}

export function stepResults(
  outcomes: readonly StepOutcome[],
  config: WorkerConfig,
  signal: EndingSignal | undefined,
): StepResults {
  const told = outcomes.map((outcome) => {
    const view = viewOf(outcome, signal);
    const summary = toSummary(outcome, view, {
      ...config,
      dryRun: false,
      localPathOf: () => undefined,
    });
    return { view, summary };
  });
  return {
    summaries: told.map(({ summary }) => summary),
    lines: told.map(({ view, summary }) => {
      const { stepId, runId, message } = summary;
      const words = view.noop || isError(view) ? message : lastLine(summary);
      return `${stepId ?? runId ?? '-'}  ${words}`;
    }),
    exitCode: Math.max(0, ...told.map(({ view }) => view.exitCode)),
  };
}
