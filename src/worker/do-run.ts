import { systemClock } from '../clock.js';
import type { EngineDeps } from '../engine/deps.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import type { Worker } from './worker.js';

/** With less time left no step is begun; of a short time, with less than a quarter of it. */
const LEAST_STEP_MS = 15_000;
const LEAST_SHARE = 1 / 4;

/** How long, and until what, steps are done one after the other. */
export interface WorkContext extends Pick<EngineDeps, 'logger' | 'signal' | 'windDown'> {
  /** In all. */
  readonly timeoutMs: number;
  /** By the clock that never goes back: `EngineDeps.clock.monotonic()`. */
  readonly untilMs: number;
}

/** From now on. */
export function timeFor(timeoutMs: number): Pick<WorkContext, 'timeoutMs' | 'untilMs'> {
  return { timeoutMs, untilMs: systemClock.monotonic() + timeoutMs };
}

export interface RunRequest {
  readonly runId: string;
  readonly eventId?: string;
  /** Steps of other runs had their share of the time already. */
  readonly isLater?: boolean;
}

/**
 * Does every eligible step of a run, one after the other, in ascending order of their ids. The last
 * outcome says why no further step was done; `planned`: the time was over, and a step is left.
 *
 * Only the first step fails what it could not draw in time. A later one is given back when the time
 * is over: it had less than is its due, and goes on from what is stored the next time.
 */
export async function doRun(
  { runId, eventId, isLater = false }: RunRequest,
  worker: Worker,
  context: WorkContext,
): Promise<StepOutcome[]> {
  const leastMs = Math.min(LEAST_STEP_MS, context.timeoutMs * LEAST_SHARE);
  const outcomes: StepOutcome[] = [];
  for (;;) {
    const deps = worker.engineDeps(context);
    const leftMs = context.untilMs - deps.clock.monotonic();
    const isFirst = outcomes.length === 0 && !isLater;
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
        dryRun: leftMs < leastMs,
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
