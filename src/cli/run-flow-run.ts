import { gsUri } from '../artifacts/object-names.js';
import type { RunConfig } from '../config/run-config.js';
import type { JsonObject } from '../contracts/documents.js';
import { addressRun } from '../engine/flow-run.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import type { Logger } from '../log/logger.js';
import { openWorker } from '../worker/worker.js';
import { takeIn } from './given-run/take-in.js';
import { copyOut, prepareOut } from './out-folder.js';

export interface FlowRunResult {
  readonly outcome: StepOutcome;
  /** Where a person can open an object of the run; `undefined`: it is not on this machine. */
  localPathOf(gsUri: string): string | undefined;
}

/**
 * Does one step of a flow run on the backend that was asked for. Rejects with `ConfigError` or
 * `StoreUnavailable`.
 */
export async function runFlowRun(
  config: RunConfig,
  document: JsonObject,
  context: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<FlowRunResult> {
  const run = addressRun(document, config.stepId);
  // Before anything is so much as opened: what cannot be addressed writes nothing.
  if ('reason' in run) return { outcome: run, localPathOf: () => undefined };

  const { flowKey } = document;
  const logger = context.logger.with({
    runId: run.runId,
    ...(typeof flowKey === 'string' && { flowKey }),
  });
  if (config.out !== undefined && !config.dryRun) await prepareOut(config.out);
  const worker = await openWorker(config, config.dryRun ? 'read' : 'write', logger);
  try {
    const { artifacts } = worker;
    const documents = await takeIn(run, config, worker, logger);
    const outcome = await runStep(
      {
        runId: run.runId,
        stepId: config.stepId,
        asGiven: run,
        replay: config.replay,
        ignoreDependencies: config.ignoreDependencies,
        tolerateAbsentDependencies: config.stepId !== undefined,
        dryRun: config.dryRun,
      },
      { ...worker.engineDeps({ logger, signal: context.signal }), documents },
    );
    if (outcome.reason === 'not-addressable' && outcome.isAbsent) {
      const message = `${outcome.message}; --create-flow-run creates it from the file`;
      return { outcome: { ...outcome, message }, localPathOf: () => undefined };
    }
    if (config.out !== undefined) await copyOut(config.out, outcome, artifacts);
    const bucketUri = gsUri(artifacts.bucket, '');
    const localPathOf = (uri: string) =>
      uri.startsWith(bucketUri) ? artifacts.localPath(uri.slice(bucketUri.length)) : undefined;
    return { outcome, localPathOf };
  } finally {
    await worker.close();
  }
}
