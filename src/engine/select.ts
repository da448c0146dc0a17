import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import type { StoredDocument } from '../documents/document-store.js';
import { Logger } from '../log/logger.js';
import type { StepRequest } from './deps.js';
import { chartExportSteps, listed, named, quoted, type Run, stepOf } from './flow-run.js';
import { type LeaseOwner, parseLease, standingOf } from './lease-document.js';
import type { StepOutcome } from './outcome.js';

/** How a step may be entered: from `READY`, from a dead or released holder, or anew by the operator. */
export type Entry = 'fresh' | 'takeover' | 'replay';

export interface Selected {
  readonly stepId: string;
  readonly status: string;
  readonly entry: Entry;
  /** The holder before died, which counts as an attempt; a release does not. */
  readonly expired: boolean;
}

/** What selecting needs besides the run: the leases of its steps, as read at one moment. */
export interface Leases {
  readonly readTimeMs: number;
  readonly of: (stepId: string) => StoredDocument | undefined;
  readonly ownerIsGone: (owner: LeaseOwner) => boolean;
}

/** Pure but for its log lines: the step to do, or why there is none. */
export function select(
  run: Run,
  request: StepRequest,
  leases: Leases,
  logger: Logger,
): Selected | StepOutcome {
  if (request.stepId !== undefined) return enter(run, request.stepId, request, leases, logger);
  const steps = chartExportSteps(run, logger);
  if (request.replay) return selectForReplay(run, steps, request, leases, logger);

  const reasons: string[] = [];
  let isAtWork = false;
  for (const stepId of steps) {
    const found = enter(
      run,
      stepId,
      { ...request, tolerateAbsentDependencies: false },
      leases,
      logger,
    );
    if ('entry' in found) return found;
    if (found.reason === 'held') isAtWork ||= found.isAtWork;
    if (found.reason === 'not-ready' && run.data.status === 'CANCELLED') reasons.push(stepId);
    else if (found.reason !== 'already-final')
      reasons.push('message' in found ? found.message : stepId);
  }
  const statuses = steps.map((stepId) => stepOf(run, stepId)?.status);
  if (steps.length > 0 && statuses.every((status) => status === 'SUCCEEDED')) {
    return { reason: 'all-succeeded', runId: run.runId };
  }
  const message = whyNothing(run, steps, reasons);
  return { reason: 'nothing-eligible', runId: run.runId, isAtWork, message };
}

function selectForReplay(
  run: Run,
  steps: readonly string[],
  request: StepRequest,
  leases: Leases,
  logger: Logger,
): Selected | StepOutcome {
  const [only, ...others] = steps;
  if (only === undefined) {
    const message = whyNothing(run, steps, []);
    return { reason: 'nothing-eligible', runId: run.runId, isAtWork: false, message };
  }
  if (others.length > 0) {
    return {
      reason: 'misconfigured',
      message: `--replay: run ${run.runId} has several CHART_EXPORT steps, name one with --step-id: ${listed(steps)}`,
    };
  }
  return enter(run, only, request, leases, logger);
}

/** What one step is found to be, whoever looks. */
export interface Judgement {
  readonly found: Selected | StepOutcome;
  /** Each dependency that blocks it, with what it is instead; empty: none does. */
  readonly blockedBy: readonly string[];
}

/** Pure: what a worker would find that comes by itself, without a flag or a step's name. */
export function judgeStep(run: Run, stepId: string, leases: Leases): Judgement {
  const request = {
    runId: run.runId,
    stepId,
    asGiven: undefined,
    replay: false,
    ignoreDependencies: false,
    tolerateAbsentDependencies: false,
    dryRun: false,
  };
  const quiet = new Logger(() => undefined);
  const found = enter(run, stepId, request, leases, quiet);
  const isBlocked = 'reason' in found && found.reason === 'blocked';
  const step = stepOf(run, stepId) as JsonObject;
  return { found, blockedBy: isBlocked ? blockers(run, step, request, quiet) : [] };
}

/**
 * The steps whose leases and templates selecting may need: every one that may be entered, up to the
 * first that is ready for sure.
 */
export function shortlist(run: Run, request: StepRequest): string[] {
  if (request.stepId !== undefined) return [request.stepId];
  const quiet = new Logger(() => undefined);
  const steps = chartExportSteps(run);
  if (request.replay) return steps.length === 1 ? steps : [];
  const possible = steps.filter((id) => {
    const status = stepOf(run, id)?.status;
    return status === 'READY' || status === 'RUNNING';
  });
  const isReady = (id: string) => {
    const step = stepOf(run, id) as JsonObject;
    const blocking = request.ignoreDependencies ? [] : blockers(run, step, request, quiet);
    return step.status === 'READY' && blocking.length === 0;
  };
  const sure = possible.findIndex(isReady);
  return sure === -1 ? possible : possible.slice(0, sure + 1);
}

/** Whether this one step may be entered now, and how. */
function enter(
  run: Run,
  stepId: string,
  request: StepRequest,
  leases: Leases,
  logger: Logger,
): Selected | StepOutcome {
  const step = stepOf(run, stepId) as JsonObject;
  const status = String(step.status);
  const identity = { runId: run.runId, stepId };
  const replayHint = 'use --replay to do it again';

  const isFinal = status === 'SUCCEEDED' || status === 'FAILED';
  if (isFinal && !request.replay) return alreadyFinal(identity, status, step);
  if (run.data.status === 'CANCELLED') {
    return { reason: 'not-ready', ...identity, status, message: `run ${run.runId} is CANCELLED` };
  }
  if (isFinal) return unblocked({ stepId, status, entry: 'replay', expired: false });
  if (status === 'READY') return unblocked({ stepId, status, entry: 'fresh', expired: false });
  if (status !== 'RUNNING') {
    const message = `step ${stepId} is ${status}, not READY`;
    return { reason: 'not-ready', ...identity, status, message };
  }

  const lease = leases.of(stepId);
  const standing = standingOf(lease, leases.readTimeMs, leases.ownerIsGone);
  if (standing === 'live') {
    const { eventId } = request;
    const isAtWork = eventId !== undefined && parseLease(lease)?.eventId === eventId;
    return { reason: 'held', ...identity, status, isAtWork, message: heldBy(stepId, lease) };
  }
  if (request.replay) return unblocked({ stepId, status, entry: 'replay', expired: false });
  if (standing === 'none') {
    const message = `step ${stepId} is RUNNING without a lease: another kind of worker holds it; ${replayHint} if that one is dead`;
    return { reason: 'unleased', ...identity, status, message };
  }
  return unblocked({ stepId, status, entry: 'takeover', expired: standing === 'expired' });

  function unblocked(selected: Selected): Selected | StepOutcome {
    const blocking = request.ignoreDependencies ? [] : blockers(run, step, request, logger);
    if (blocking.length === 0) return selected;
    const message = `step ${stepId} is blocked by ${listed(blocking)}`;
    logger.info('depends_on_blocked', message, { stepId, blockedBy: blocking });
    return { reason: 'blocked', ...identity, status, message };
  }
}

/** Each dependency that is not `SUCCEEDED`, with what it is instead. */
function blockers(run: Run, step: JsonObject, request: StepRequest, logger: Logger): string[] {
  const dependsOn = step.dependsOn ?? [];
  if (!Array.isArray(dependsOn)) return ['a dependsOn that is not a list'];
  return dependsOn.flatMap((dependency: unknown) => {
    const other = typeof dependency === 'string' ? stepOf(run, dependency) : undefined;
    if (other?.status === 'SUCCEEDED') return [];
    if (other) return [`${named(String(dependency))} (${String(other.status)})`];
    if (request.tolerateAbsentDependencies) {
      logger.warn(
        'depends_on_blocked',
        `dependency ${quoted(dependency)} is not in the run; passed over for a named step`,
      );
      return [];
    }
    return [`${quoted(dependency)} (not in the run)`];
  });
}

function alreadyFinal(
  identity: { runId: string; stepId: string },
  status: 'SUCCEEDED' | 'FAILED',
  step: JsonObject,
): StepOutcome {
  const { error, outputs } = step;
  const code = isJsonObject(error) ? error.code : undefined;
  const uri = isJsonObject(outputs) ? outputs.outputsManifestGcsUri : undefined;
  return {
    reason: 'already-final',
    ...identity,
    status,
    errorCode: typeof code === 'string' ? code : null,
    manifestUri: typeof uri === 'string' ? uri : null,
  };
}

function heldBy(stepId: string, document: StoredDocument | undefined): string {
  const lease = parseLease(document);
  const holder = lease ? `process ${lease.owner.pid} on ${lease.owner.host}` : 'another worker';
  const since = lease ? ` since ${lease.claimedAt}` : '';
  return `step ${stepId} is held by ${holder}${since}`;
}

function whyNothing(run: Run, steps: readonly string[], reasons: readonly string[]): string {
  if (run.data.status === 'CANCELLED') return `run ${run.runId} is CANCELLED`;
  if (steps.length === 0) return `run ${run.runId} has no CHART_EXPORT step`;
  if (reasons.length === 0) {
    return `run ${run.runId} has no CHART_EXPORT step left to do; use --replay --step-id to do one again`;
  }
  return `no CHART_EXPORT step of run ${run.runId} is eligible: ${listed(reasons)}; status says what helps`;
}
