import { isJsonObject } from '../contracts/documents.js';
import { counted } from '../counted.js';
import { paths } from '../documents/paths.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { type Claimed, claim } from './claim.js';
import type { EngineDeps, StepRequest } from './deps.js';
import { buildManifest } from './manifest.js';
import type { StepError, StepIdentity, StepOutcome } from './outcome.js';
import { type Rendered, render } from './render.js';
import { Stopwatch } from './server-clock.js';
import { release, type Settled, settle, type Verdict } from './settle.js';
import { LeaseLost } from './step-lease.js';
import { DeadlinePassed, Interrupted, Stopping } from './stopping.js';
import { scopeOf } from './survey.js';

/**
 * Does one step: select → plan → claim → render → store → settle. What can happen to it is an
 * outcome; a rejection is a bug. A bug after the claim still settles the step `FAILED`.
 */
export async function runStep(request: StepRequest, deps: EngineDeps): Promise<StepOutcome> {
  const logger = deps.logger.with({ runId: request.runId });
  const since = new Stopwatch(deps.clock);
  const deadline = new AbortController();
  const ended = new AbortController();
  void deps.clock.sleep(deps.settings.timeoutMs, ended.signal).then(() => {
    deadline.abort(
      new DeadlinePassed(
        `not there after ${deps.settings.timeoutMs / 1_000} s, the step's deadline`,
      ),
    );
  });
  try {
    const claimed = await claim(request, { ...deps, logger }, deadline.signal);
    if ('reason' in claimed) return announced(claimed, deps);
    return await work(claimed, { ...deps, logger }, deadline.signal, since);
  } catch (error) {
    if (error instanceof ConfigError) return { reason: 'misconfigured', message: error.message };
    if (error instanceof StoreUnavailable) return infrastructureFailed(request, error);
    throw error;
  } finally {
    ended.abort();
  }
}

async function work(
  claimed: Claimed,
  deps: EngineDeps,
  deadline: AbortSignal,
  since: Stopwatch,
): Promise<StepOutcome> {
  const { situation, lease } = claimed;
  const { inputs, selected, run } = situation;
  const identity = { runId: run.runId, stepId: selected.stepId };
  const logger = deps.logger.with(scopeOf(situation));
  const { attempt } = lease.current;
  const total = situation.charts.length;
  const message = `step ${selected.stepId}: ${counted(total, 'chart')}`;
  logger.info('core_start', message, { attempt, total });

  const stop = new Stopping();
  stop.follow(deadline, 'now', () => deadline.reason);
  stop.follow(deps.signal, 'now', () => new Interrupted());
  if (deps.windDown) stop.follow(deps.windDown, 'soon', () => new Interrupted());
  const beating = lease.beat((lost) => stop.cut(lost)).catch((error: unknown) => stop.cut(error));

  try {
    const { verdict, rendered } = await cook(claimed, { ...deps, logger }, stop);
    const leftMs = deps.settings.timeoutMs - since.elapsedMs();
    const settled = await settle(claimed, verdict, { ...deps, logger }, leftMs);
    const { error, manifestUri } = settled;
    const facts = {
      ...identity,
      attempt,
      minImages: 'error' in inputs ? null : inputs.minImages,
      manifestUri,
      items: verdict.manifest?.items ?? [],
      failures: verdict.manifest?.failures ?? [],
      durationMs: Math.round(since.elapsedMs()),
    };
    logger.info('step_completed', `step ${selected.stepId} ${statusOf(settled)}`, {
      status: statusOf(settled),
      itemsCount: facts.items.length,
      failuresCount: facts.failures.length,
      calls: rendered?.calls ?? { ok: 0, failed: 0 },
      ...(error && { error }),
    });
    return error ? { reason: 'failed', ...facts, error } : { reason: 'succeeded', ...facts };
  } catch (error) {
    // What is still queued would keep the release waiting, for seconds where the store is gone.
    lease.stop();
    if (error instanceof LeaseLost) {
      const message = `step ${selected.stepId} is no longer ours: ${error.message}; nothing more was written`;
      logger.warn('lease_lost', message, { attempt });
      const status = await statusNow(identity, deps);
      return { reason: 'lease-lost', ...identity, status, attempt, message };
    }
    if (error instanceof Interrupted) return await giveBack(claimed, deps, identity, attempt);
    const message = `step ${selected.stepId} could not be settled: ${reasonOf(error)}`;
    logger.error('finalize_failed', message, { attempt });
    await release(claimed, deps).catch(() => undefined);
    if (!(error instanceof StoreUnavailable)) throw error;
    return { reason: 'infrastructure-failed', ...identity, message, cause: error };
  } finally {
    stop.over();
    lease.stop();
    await beating;
  }
}

/** What the step comes to; a bug on the way becomes its `INTERNAL_ERROR`. */
async function cook(
  claimed: Claimed,
  deps: EngineDeps,
  stop: Stopping,
): Promise<{ verdict: Verdict; rendered: Rendered | undefined }> {
  const { run, selected, inputs } = claimed.situation;
  if ('error' in inputs) {
    return { verdict: { manifest: undefined, error: inputs.error }, rendered: undefined };
  }
  try {
    const rendered = await render(claimed, inputs, deps, stop);
    const identity = { runId: run.runId, stepId: selected.stepId };
    const manifest = buildManifest(identity, inputs, rendered, new Date(deps.clock.now()));
    const enough = manifest.items.length >= inputs.minImages;
    const first = manifest.failures[0]?.error as StepError | undefined;
    const records = deps.cache?.recordsOf({ ...identity, inputs }, [...rendered.stored.values()]);
    const verdict = { manifest, error: enough ? undefined : first, ...(records && { records }) };
    return { verdict, rendered };
  } catch (error) {
    const isOutcome =
      error instanceof LeaseLost ||
      error instanceof Interrupted ||
      error instanceof StoreUnavailable;
    if (isOutcome) throw error;
    const stack = error instanceof Error ? error.stack : undefined;
    deps.logger.debug('internal_error', reasonOf(error), { stepId: selected.stepId, stack });
    const message = `a bug in this worker: ${reasonOf(error)}`;
    return {
      verdict: { manifest: undefined, error: { code: 'INTERNAL_ERROR', message } },
      rendered: undefined,
    };
  }
}

async function giveBack(
  claimed: Claimed,
  deps: EngineDeps,
  identity: StepIdentity,
  attempt: number,
): Promise<StepOutcome> {
  try {
    await release(claimed, deps);
  } catch (error) {
    if (error instanceof LeaseLost) {
      const status = await statusNow(identity, deps);
      return { reason: 'lease-lost', ...identity, status, attempt, message: error.message };
    }
    if (!(error instanceof StoreUnavailable)) throw error;
    const message = `interrupted, and the lease could not be given back: ${reasonOf(error)}`;
    return { reason: 'infrastructure-failed', ...identity, message, cause: error };
  }
  const message = `interrupted; step ${identity.stepId} was given back and whoever runs it next resumes it`;
  deps.logger.info('lease_released', message, { stepId: identity.stepId, attempt });
  return { reason: 'interrupted', ...identity, claimed: true, attempt, message };
}

/** What the step is now, for the report; `null` where that cannot be read. */
async function statusNow(
  { runId, stepId }: StepIdentity,
  { documents }: EngineDeps,
): Promise<string | null> {
  const reading = await documents.read([paths.flowRun(runId)]).catch(() => undefined);
  const steps = reading?.get(paths.flowRun(runId))?.data.steps;
  const step = isJsonObject(steps) && Object.hasOwn(steps, stepId) ? steps[stepId] : undefined;
  const status = isJsonObject(step) ? step.status : undefined;
  return typeof status === 'string' ? status : null;
}

function announced(outcome: StepOutcome, { logger }: EngineDeps): StepOutcome {
  if (outcome.reason === 'already-final') {
    const { stepId, status } = outcome;
    logger.info('core_noop_already_final', `step ${stepId} is ${status} already`, {
      stepId,
      status,
    });
  }
  return outcome;
}

function infrastructureFailed(
  { runId, stepId }: StepRequest,
  error: StoreUnavailable,
): StepOutcome {
  const message = reasonOf(error);
  return { reason: 'infrastructure-failed', runId, stepId: stepId ?? null, message, cause: error };
}

function statusOf({ error }: Settled): 'SUCCEEDED' | 'FAILED' {
  return error ? 'FAILED' : 'SUCCEEDED';
}
