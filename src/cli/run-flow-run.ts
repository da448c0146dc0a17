import { gsUri, scratchRoot, stepFolder } from '../artifacts/object-names.js';
import type { RunConfig } from '../config/run-config.js';
import type { JsonObject } from '../contracts/documents.js';
import { isRunId } from '../contracts/ids.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { EngineDeps, StepRequest } from '../engine/deps.js';
import { addressRun, quoted, type Run } from '../engine/flow-run.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import { reasonOf } from '../failures.js';
import type { Logger } from '../log/logger.js';
import { openWorker, type Worker } from '../worker/worker.js';
import { absentFrom } from './absent-from.js';
import type { CommandLine } from './command-line.js';
import { confirm } from './confirm.js';
import { takeIn } from './given-run/take-in.js';
import { copyOut, prepareOut } from './out-folder.js';
import type { CommandOutcome } from './outcome-view.js';
import { isRealReplay, replayScreen } from './replay/real-replay.js';
import { scratchView } from './replay/scratch-view.js';
import { prepareReport, writeReport } from './report-file.js';

export interface FlowRunResult {
  readonly outcome: CommandOutcome;
  /** Where a person can open an object of the run; `undefined`: it is not on this machine. */
  localPathOf(gsUri: string): string | undefined;
}

export interface RunContext {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Who is asked before a real replay. */
  readonly commandLine: CommandLine;
}

/**
 * Does one step of a flow run, the given document's or a stored one's, on the backend that was asked
 * for. Rejects with `ConfigError` or `StoreUnavailable`.
 */
export async function runFlowRun(
  config: RunConfig,
  document: JsonObject | undefined,
  context: RunContext,
): Promise<FlowRunResult> {
  const given = document ? addressRun(document, config.stepId) : storedRun(config);
  // Before anything is so much as opened: what cannot be addressed writes nothing.
  if ('reason' in given) return { outcome: given, localPathOf: () => undefined };

  const { runId } = given;
  const flowKey = document?.flowKey;
  const logger = context.logger.with({ runId, ...(typeof flowKey === 'string' && { flowKey }) });
  const unused: (() => void)[] = [];
  let worker: Worker | undefined;
  try {
    if (config.out !== undefined && !config.dryRun) unused.push(await prepareOut(config.out));
    if (config.report !== undefined && !config.dryRun) {
      unused.push(await prepareReport(config.report));
    }
    const access = document ? 'write' : 'write-if-there';
    worker = await openWorker(config, config.dryRun ? 'read' : access, logger);
    const outcome = await doStep(given, config, worker, { ...context, logger });
    const { artifacts } = worker;
    if (config.out !== undefined) await copyOut(config.out, outcome, artifacts);
    if (config.report !== undefined) await report(config.report, outcome, worker, logger);
    const bucketUri = gsUri(artifacts.bucket, '');
    const localPathOf = (uri: string) =>
      uri.startsWith(bucketUri) ? artifacts.localPath(uri.slice(bucketUri.length)) : undefined;
    return { outcome, localPathOf };
  } finally {
    await worker?.close();
    for (const remove of unused.reverse()) remove();
  }
}

/** A run of which nothing but its id is given. */
type Given = Run | Pick<Run, 'runId'>;

function storedRun({ runId }: RunConfig): Given | StepOutcome {
  if (isRunId(runId)) return { runId };
  const message = `--run-id: ${quoted(runId)} is not a run id (like 20251221-120000_BTCUSDT_demo)`;
  return { reason: 'not-addressable', runId: null, stepId: null, message };
}

async function doStep(
  given: Given,
  config: RunConfig,
  worker: Worker,
  { logger, signal, commandLine }: RunContext,
): Promise<CommandOutcome> {
  const { runId } = given;
  const run = 'data' in given ? given : undefined;
  const request: StepRequest = {
    runId,
    stepId: config.stepId,
    asGiven: run,
    replay: config.replay || config.scratch,
    ...(config.only !== undefined && { only: config.only }),
    ignoreDependencies: config.ignoreDependencies,
    tolerateAbsentDependencies: config.stepId !== undefined,
    dryRun: config.dryRun,
  };
  const deps = await depsFor(given, config, worker, logger, signal);
  if (isRealReplay(config) && !config.yes) {
    const plan = await runStep({ ...request, dryRun: true }, deps);
    if (plan.reason !== 'planned') return plan;
    const { stepId, status } = plan;
    const question = `${replayScreen(plan, config)}Do it?`;
    const isWanted = await confirm(question, commandLine, signal);
    if (!isWanted) return { reason: 'declined', runId, stepId, status };
  }
  const outcome = await runStep(request, deps);
  if (outcome.reason !== 'not-addressable' || !outcome.isAbsent) return outcome;
  return { ...outcome, message: `${outcome.message} in ${absentFrom(config, run !== undefined)}` };
}

/** The engine's ports, with the given run taken in, or with a trial's own copy of it. */
async function depsFor(
  given: Given,
  config: RunConfig,
  worker: Worker,
  logger: Logger,
  signal: AbortSignal,
): Promise<EngineDeps> {
  const deps = worker.engineDeps({ logger, signal });
  const taken = (how: RunConfig): Promise<DocumentStore> =>
    'data' in given ? takeIn(given, how, worker, logger) : Promise.resolve(deps.documents);
  if (!config.scratch) return { ...deps, documents: await taken(config) };
  // As for a dry run: whatever the file says of the run is seen, and not imported.
  const reads = await taken({ ...config, dryRun: true });
  const objectRoot = scratchRoot(new Date());
  const folder = stepFolder({ runId: given.runId, stepId: config.stepId ?? '…', root: objectRoot });
  const place = gsUri(config.bucket, folder);
  logger.info('scratch_run', `a trial: objects go to ${place}, the flow run is not touched`, {
    objectRoot,
  });
  return {
    ...deps,
    documents: scratchView(given.runId, { reads, commits: deps.documents }),
    settings: { ...deps.settings, objectRoot },
  };
}

/** The step is settled by now: what is wrong with its page is no longer its business. */
async function report(
  file: string,
  outcome: CommandOutcome,
  { artifacts }: Worker,
  logger: Logger,
): Promise<void> {
  const uri = 'manifestUri' in outcome ? outcome.manifestUri : null;
  if (uri === null) return;
  try {
    const { unshown } = await writeReport(file, uri, artifacts);
    for (const { chartTemplateId, reason } of unshown) {
      logger.warn(
        'report_incomplete',
        `${chartTemplateId} has no picture in the report: ${reason}`,
      );
    }
  } catch (error) {
    logger.warn('report_incomplete', `there is no report: ${reasonOf(error)}`);
  }
}
