import { systemClock } from '../clock.js';
import type { EngineDeps, StepRequest } from '../engine/deps.js';
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
    const isOver = leftMs < leastMs;
    const isFirst = outcomes.length === 0 && !isLater;
    const request: StepRequest = {
      runId,
      stepId: undefined,
      ...(eventId !== undefined && { eventId }),
      asGiven: undefined,
      replay: false,
      ignoreDependencies: false,
      tolerateAbsentDependencies: false,
      // What may no longer be begun is only looked for.
      dryRun: isOver,
    };
    const within = (timeoutMs: number) => ({
      ...deps,
      settings: { ...deps.settings, timeoutMs },
    });
    const outcome = isOver
      ? await runStep(request, within(LEAST_STEP_MS))
      : isFirst
        ? await runStep(request, within(leftMs))
        : await runOrGiveBack(request, deps, leftMs);
    outcomes.push(outcome);
    const mayGoOn =
      outcome.reason === 'succeeded' ||
      outcome.reason === 'failed' ||
      outcome.reason === 'lease-lost';
    if (!mayGoOn) return outcomes;
  }
}

/** Not by `AbortSignal.timeout`: inside of `AbortSignal.any` Node 20 lets it be collected, unheard. */
async function runOrGiveBack(
  request: StepRequest,
  deps: EngineDeps,
  leftMs: number,
): Promise<StepOutcome> {
  const timeIsUp = new AbortController();
  const ended = new AbortController();
  void deps.clock.sleep(leftMs, ended.signal).then(() => timeIsUp.abort());
  try {
    return await runStep(request, {
      ...deps,
      signal: AbortSignal.any([deps.signal, timeIsUp.signal]),
    });
  } finally {
    ended.abort();
  }
}
