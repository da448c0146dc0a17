import type { EngineDeps } from '../engine/deps.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import type { Worker } from './worker.js';

/** With less time left no further step is begun. */
const LEAST_STEP_MS = 15_000;

/** How long, and until what, steps are done one after the other. */
export interface WorkContext extends Pick<EngineDeps, 'logger' | 'signal' | 'windDown'> {
  /** By the clock that never goes back: `EngineDeps.clock.monotonic()`. */
  readonly untilMs: number;
}

/**
 * Does every eligible step of a run, one after the other, in ascending order of their ids. The last
 * outcome says why no further step was done; `planned`: the time was over, and a step is left.
 *
 * Only the first step fails what it could not draw in time. A later one is given back when the time
 * is over: it had less than is its due, and goes on from what is stored the next time.
 */
export async function doRun(
  { runId, eventId }: { readonly runId: string; readonly eventId?: string },
  worker: Worker,
  context: WorkContext,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  for (;;) {
    const deps = worker.engineDeps(context);
    const leftMs = context.untilMs - deps.clock.monotonic();
    const isFirst = outcomes.length === 0;
    const timeIsUp = AbortSignal.timeout(Math.max(0, Math.ceil(leftMs)));
    const outcome = await runStep(
      {
        runId,
        stepId: undefined,
        ...(eventId !== undefined && { eventId }),
        asGiven: undefined,
        replay: false,
        ignoreDependencies: false,
        tolerateAbsentDependencies: false,
        // What may no longer be begun is only looked for.
        dryRun: leftMs < (isFirst ? 0 : LEAST_STEP_MS),
      },
      isFirst
        ? { ...deps, settings: { ...deps.settings, timeoutMs: Math.max(1, leftMs) } }
        : { ...deps, signal: AbortSignal.any([context.signal, timeIsUp]) },
    );
    outcomes.push(outcome);
    const mayGoOn =
      outcome.reason === 'succeeded' ||
      outcome.reason === 'failed' ||
      outcome.reason === 'lease-lost';
    if (!mayGoOn) return outcomes;
  }
}
