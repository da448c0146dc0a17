import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { isRunId } from '../contracts/ids.js';
import { counted } from '../counted.js';
import type { StoredDocument } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import { addressRun, chartExportSteps, type Run, stepOf } from '../engine/flow-run.js';
import { type LeaseDocument, leaseData, parseLease } from '../engine/lease-document.js';
import type { StepOutcome } from '../engine/outcome.js';
import type { Logger } from '../log/logger.js';
import { doRun, type WorkContext } from './do-run.js';
import type { Worker } from './worker.js';

/** What one sweep came to. */
export interface SweepResult {
  /** Flow runs that are PENDING or RUNNING. */
  readonly runs: number;
  /** Of every step that was done or tried, without what was found to be nobody's business. */
  readonly outcomes: readonly StepOutcome[];
  readonly leasesClosed: number;
  /** Steps that have been RUNNING for longer than is normal. */
  readonly runningLong: number;
  /** `false`: the time was over first; the next sweep goes on. */
  readonly complete: boolean;
}

const PAGE = 100;
/** No step takes half an hour: its deadline is nine minutes, and a dead holder's lease expires. */
const RUNNING_LONG_MS = 30 * 60_000;

/**
 * Goes through the flow runs that are PENDING or RUNNING and does for each what its event would:
 * whatever lost its event, or its worker, is done now. Then closes the leases of steps that are no
 * longer RUNNING. Safe beside live workers, and beside itself.
 */
export async function sweep(worker: Worker, context: WorkContext): Promise<SweepResult> {
  const result = await goThrough(worker, context);
  const { outcomes, ...tally } = result;
  const steps = outcomes.length;
  const words = `${counted(tally.runs, 'open flow run')}, ${counted(steps, 'step')} done or tried`;
  context.logger.info('sweep_finished', words, { ...tally, steps });
  return result;
}

async function goThrough(worker: Worker, context: WorkContext): Promise<SweepResult> {
  const tally = { runs: 0, leasesClosed: 0, runningLong: 0 };
  const outcomes: StepOutcome[] = [];
  const { clock } = worker.engineDeps(context);
  const isOver = () =>
    context.signal.aborted ||
    context.windDown?.aborted === true ||
    clock.monotonic() >= context.untilMs;
  let after: string | undefined;
  do {
    const page = await worker.documents.list('flow_runs', {
      limit: PAGE,
      where: { field: 'status', among: ['PENDING', 'RUNNING'] },
      ...(after !== undefined && { after }),
    });
    for (const document of page.documents) {
      if (isOver()) return { ...tally, outcomes, complete: false };
      tally.runs += 1;
      const logger = context.logger.with({ runId: document.id });
      if (!isRunId(document.id)) {
        logger.warn('run_id_passed_over', 'the run is passed over: its id is not allowed');
        continue;
      }
      const run = addressRun(document.data, undefined);
      if ('reason' in run || run.runId !== document.id) continue;
      if (mayHaveWork(run)) {
        const request = { runId: document.id, isLater: outcomes.length > 0 };
        const done = await doRun(request, worker, { ...context, logger });
        outcomes.push(...done.filter(isNews));
        if (done.some(endsSweep)) return { ...tally, outcomes, complete: false };
      }
      const seen = await inspectLeases(document.id, worker, logger);
      tally.leasesClosed += seen.closed;
      tally.runningLong += seen.runningLong;
    }
    after = page.next;
  } while (after !== undefined);
  return { ...tally, outcomes, complete: true };
}

/** Told from the listing alone: most runs wait for steps of other kinds, and cost nothing more. */
function mayHaveWork(run: Run): boolean {
  return chartExportSteps(run).some((stepId) => {
    const status = stepOf(run, stepId)?.status;
    return status === 'READY' || status === 'RUNNING';
  });
}

/** Not what every look at a run finds: that there is nothing for us. */
function isNews({ reason }: StepOutcome): boolean {
  switch (reason) {
    case 'nothing-eligible':
    case 'all-succeeded':
    case 'not-addressable':
    case 'planned':
      return false;
    default:
      return true;
  }
}

/** There was no time for a step any more, or the next run would fare no better. */
function endsSweep({ reason }: StepOutcome): boolean {
  switch (reason) {
    case 'planned':
    case 'interrupted':
    case 'contended':
    case 'misconfigured':
    case 'infrastructure-failed':
      return true;
    default:
      return false;
  }
}

/** Closes what somebody left open who set the step's status by hand, and tells of what hangs. */
async function inspectLeases(
  runId: string,
  { documents }: Worker,
  logger: Logger,
): Promise<{ closed: number; runningLong: number }> {
  let closed = 0;
  let runningLong = 0;
  let after: string | undefined;
  do {
    const page = await documents.list(paths.leases(runId), {
      limit: PAGE,
      where: { field: 'state', among: ['ACTIVE', 'RELEASED'] },
      ...(after !== undefined && { after }),
    });
    after = page.next;
    if (page.documents.length === 0) continue;
    // After the leases: a claim writes both at once, so that a run that is older than its lease
    // would make a live claim look like one whose step was reset.
    const reading = await documents.read([paths.flowRun(runId)]);
    const run = reading.get(paths.flowRun(runId));
    for (const { id: stepId, ...document } of page.documents) {
      const lease = parseLease(document);
      if (!run || !lease) continue;
      if (statusIn(run.data, stepId) !== 'RUNNING') {
        if (await close(runId, stepId, { document, lease }, documents, logger)) closed += 1;
      } else if (reading.readTimeMs - Date.parse(lease.claimedAt) > RUNNING_LONG_MS) {
        runningLong += 1;
        const message = `step ${stepId} has been RUNNING since ${lease.claimedAt}`;
        const { claimedAt: runningSince, attempt } = lease;
        logger.warn('step_running_long', message, { stepId, runningSince, attempt });
      }
    }
  } while (after !== undefined);
  return { closed, runningLong };
}

/** Under the lease's version: a claim that comes in between rewrites it, and wins. */
async function close(
  runId: string,
  stepId: string,
  { document, lease }: { document: StoredDocument; lease: LeaseDocument },
  documents: Worker['documents'],
  logger: Logger,
): Promise<boolean> {
  const result = await documents.commit([
    {
      kind: 'put',
      path: paths.lease(runId, stepId),
      data: leaseData({ ...lease, state: 'DONE', heartbeat: lease.heartbeat + 1 }),
      when: { version: document.version },
    },
  ]);
  if (result.status !== 'committed') return false;
  logger.info('lease_closed', `the lease of step ${stepId}, which is not RUNNING, is closed`, {
    stepId,
  });
  return true;
}

function statusIn({ steps }: JsonObject, stepId: string): unknown {
  const step = isJsonObject(steps) && Object.hasOwn(steps, stepId) ? steps[stepId] : undefined;
  return isJsonObject(step) ? step.status : undefined;
}
