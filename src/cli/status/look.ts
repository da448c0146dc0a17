import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../contracts/documents.js';
import { isJsonObject } from '../../contracts/documents.js';
import type { Reading } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import { addressRun, chartExportSteps, type Run, stepOf } from '../../engine/flow-run.js';
import { type LeaseStanding, parseLease, standingOf } from '../../engine/lease-document.js';
import { judgeStep, type Leases } from '../../engine/select.js';
import type { Logger } from '../../log/logger.js';
import type { OpenBackend } from '../../worker/backend.js';
import { type ErrorView, explained } from './explained.js';
import type { ManifestView } from './manifests.js';

/** What a worker that came now would find: the reasons of an outcome, or that it may begin. */
export type Verdict = 'eligible' | 'blocked' | 'held' | 'unleased' | 'not-ready' | 'final';

export interface LeaseView {
  readonly standing: LeaseStanding;
  readonly state: 'ACTIVE' | 'RELEASED' | 'DONE';
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly attempt: number;
  /** By the store's clock. */
  readonly lastBeatAt: string;
  readonly ttlMs: number;
}

export interface StepView {
  readonly stepId: string;
  readonly status: string;
  readonly verdict: Verdict;
  /** Why it cannot be begun, or how it would be; `null` where the status says it all. */
  readonly reason: string | null;
  readonly blockedBy: readonly string[];
  readonly lease: LeaseView | null;
  readonly attempt: number | null;
  readonly finishedAt: string | null;
  readonly error: ErrorView | null;
  readonly manifest: ManifestView | null;
}

export interface StatusView {
  readonly runId: string;
  readonly status: string | null;
  readonly symbol: string | null;
  /** `false`: the state is that of the file; the store has no such run yet. */
  readonly stored: boolean;
  /** By the store's clock. */
  readonly at: string;
  readonly steps: readonly StepView[];
}

export interface Where {
  readonly backend: OpenBackend;
  readonly logger: Logger;
  /** What the manifest holds; reads it. */
  manifestOf(uri: string, runId: string, stepId: string): Promise<ManifestView>;
}

/** The run as it is now; `undefined`: the store has none. A string: why it cannot be shown. */
export async function lookAtRun(
  runId: string,
  stepId: string | undefined,
  where: Where,
): Promise<StatusView | string | undefined> {
  let seen = await readRun(runId, stepId, where);
  if (seen === undefined || typeof seen === 'string') return seen;
  if (hasLeaseless(seen, where)) {
    // Who only looks takes no lock: the claim's two files may have been seen one without the other.
    await sleep(100);
    seen = await readRun(runId, stepId, where);
    if (seen === undefined || typeof seen === 'string') return seen;
  }
  const { run, reading } = seen;
  return view(run, stepId, reading, true, where);
}

/** The same of a run that no store has: nobody can hold it. */
export function lookAtFile(
  document: JsonObject,
  stepId: string | undefined,
  where: Where,
): Promise<StatusView> | string {
  const run = addressRun(document, stepId);
  if ('reason' in run) return run.message;
  const nothing: Reading = { readTimeMs: Date.now(), get: () => undefined };
  return view(run, stepId, nothing, false, where);
}

async function readRun(
  runId: string,
  stepId: string | undefined,
  { backend }: Where,
): Promise<{ run: Run; reading: Reading } | string | undefined> {
  const path = paths.flowRun(runId);
  let wanted: string[] = [path];
  for (;;) {
    const reading = await backend.documents.read(wanted);
    const document = reading.get(path);
    if (!document) return undefined;
    const run = addressRun(document.data, stepId);
    if ('reason' in run) return run.message;
    if (run.runId !== runId) return `document ${path} says that it is run ${run.runId}`;
    const needed = stepsShown(run, stepId).map((id) => paths.lease(runId, id));
    if (needed.every((lease) => wanted.includes(lease))) return { run, reading };
    wanted = [path, ...needed];
  }
}

function hasLeaseless({ run, reading }: { run: Run; reading: Reading }, where: Where): boolean {
  const leases = leasesOf(run, reading, where);
  return chartExportSteps(run).some((id) => {
    const { found } = judgeStep(run, id, leases);
    return 'reason' in found && found.reason === 'unleased';
  });
}

function leasesOf(run: Run, reading: Reading, { backend }: Where): Leases {
  return {
    readTimeMs: reading.readTimeMs,
    of: (stepId) => reading.get(paths.lease(run.runId, stepId)),
    ownerIsGone: backend.ownerIsGone,
  };
}

function stepsShown(run: Run, stepId: string | undefined, logger?: Logger): string[] {
  return stepId === undefined ? chartExportSteps(run, logger) : [stepId];
}

async function view(
  run: Run,
  stepId: string | undefined,
  reading: Reading,
  stored: boolean,
  where: Where,
): Promise<StatusView> {
  const { status, scope } = run.data;
  const symbol = isJsonObject(scope) ? scope.symbol : undefined;
  const leases = leasesOf(run, reading, where);
  return {
    runId: run.runId,
    status: text(status),
    symbol: text(symbol),
    stored,
    at: new Date(reading.readTimeMs).toISOString(),
    steps: await Promise.all(
      stepsShown(run, stepId, where.logger).map((id) => viewStep(run, id, leases, where)),
    ),
  };
}

async function viewStep(run: Run, stepId: string, leases: Leases, where: Where): Promise<StepView> {
  const step = stepOf(run, stepId) as JsonObject;
  const { found, blockedBy } = judgeStep(run, stepId, leases);
  const lease = viewLease(stepId, leases);
  const uri = isJsonObject(step.outputs) ? text(step.outputs.outputsManifestGcsUri) : null;
  return {
    stepId,
    status: text(step.status) ?? 'without a status',
    ...verdictOf(found),
    blockedBy,
    lease,
    attempt: lease?.attempt ?? null,
    finishedAt: text(step.finishedAt),
    error: errorOf(step.error),
    manifest: uri === null ? null : await where.manifestOf(uri, run.runId, stepId),
  };
}

function verdictOf({
  ...found
}: ReturnType<typeof judgeStep>['found']): Pick<StepView, 'verdict' | 'reason'> {
  if ('entry' in found) {
    const how = found.expired ? 'its holder died' : 'its holder gave it back';
    const reason =
      found.entry === 'takeover' ? `${how}: the next worker takes it over` : 'nobody has begun it';
    return { verdict: 'eligible', reason };
  }
  switch (found.reason) {
    case 'already-final':
      return { verdict: 'final', reason: null };
    case 'blocked':
    case 'held':
    case 'unleased':
      return { verdict: found.reason, reason: found.message };
    case 'not-ready': {
      const isOver = found.status === 'SKIPPED' || found.status === 'CANCELLED';
      return { verdict: isOver ? 'final' : 'not-ready', reason: found.message };
    }
    default:
      throw new Error(`a step was judged ${found.reason}`);
  }
}

function viewLease(stepId: string, { of, readTimeMs, ownerIsGone }: Leases): LeaseView | null {
  const document = of(stepId);
  const lease = parseLease(document);
  if (!document || !lease) return null;
  const { state, owner, attempt, ttlMs } = lease;
  return {
    standing: standingOf(document, readTimeMs, ownerIsGone),
    state,
    host: String(owner.host),
    pid: owner.pid,
    since: String(lease.claimedAt),
    attempt,
    lastBeatAt: new Date(document.updateTimeMs).toISOString(),
    ttlMs,
  };
}

function errorOf(error: unknown): ErrorView | null {
  if (error === undefined || error === null) return null;
  const { code, message, details } = isJsonObject(error) ? error : {};
  return explained({
    code: text(code) ?? 'without a code',
    message: text(message) ?? 'without a message',
    ...(isJsonObject(details) && { details }),
  });
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Nothing more will happen by itself to any step that is shown. */
export function isFinal({ status, steps }: StatusView): boolean {
  return status === 'CANCELLED' || steps.every(({ verdict }) => verdict === 'final');
}
