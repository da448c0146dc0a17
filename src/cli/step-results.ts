import type { WorkerConfig } from '../config/worker-config.js';
import type { RunSummary } from '../contracts/documents.js';
import type { StepOutcome } from '../engine/outcome.js';
import { type EndingSignal, isError, type OutcomeView, viewOf } from './outcome-view.js';
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
  // Behind others, the look that finds nothing more says nothing.
  const news = outcomes.filter(
    ({ reason }) =>
      outcomes.length === 1 || (reason !== 'nothing-eligible' && reason !== 'all-succeeded'),
  );
  const told = news.map((outcome) => {
    const view = outcome.reason === 'planned' ? left(outcome) : viewOf(outcome, signal);
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

/** These commands have no dry run: there was no time for it any more. */
function left({ stepId, status }: Extract<StepOutcome, { reason: 'planned' }>): OutcomeView {
  const message = `step ${stepId} is left: the time is over; run again`;
  return { exitCode: 3, status, errorCode: null, noop: true, message };
}
