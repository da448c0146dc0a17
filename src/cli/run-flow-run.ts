import { gsUri } from '../artifacts/object-names.js';
import { systemClock } from '../clock.js';
import type { RunConfig } from '../config/run-config.js';
import type { JsonObject } from '../contracts/documents.js';
import { addressRun, type Run } from '../engine/flow-run.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import { thisProcess } from '../local-disk/process-identity.js';
import type { Logger } from '../log/logger.js';
import type { OpenBackend } from './backend/backend.js';
import { openProvider } from './open-provider.js';
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
  const { provider, close } = await openProvider(config, logger);
  const backend = await openBackend(config, run, logger);
  try {
    const { artifacts } = backend;
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
      {
        ...backend,
        provider,
        accounts: config.accounts,
        owner: thisProcess(),
        clock: systemClock,
        logger,
        signal: context.signal,
        settings: { ...config, isLive: config.live !== undefined },
      },
    );
    if (config.out !== undefined) await copyOut(config.out, outcome, artifacts);
    const bucketUri = gsUri(artifacts.bucket, '');
    const localPathOf = (uri: string) =>
      uri.startsWith(bucketUri) ? artifacts.localPath(uri.slice(bucketUri.length)) : undefined;
    return { outcome, localPathOf };
  } finally {
    close();
    await backend.close();
  }
}

async function openBackend(config: RunConfig, run: Run, logger: Logger): Promise<OpenBackend> {
  const { cloud } = config;
  if (cloud === undefined) {
    const { openLocalBackend } = await import('./backend/local-backend.js');
    return openLocalBackend(config, run, logger);
  }
  const { openGcpBackend } = await import('./backend/gcp-backend.js');
  return openGcpBackend({ ...config, cloud }, run, logger);
}
