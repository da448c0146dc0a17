import { access, constants, copyFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LocalArtifactStore } from '../artifacts/local/local-artifact-store.js';
import { gsUri } from '../artifacts/object-names.js';
import { FixtureProvider } from '../chart-img/fixture-provider.js';
import { systemClock } from '../clock.js';
import { bundled } from '../config/bundled.js';
import type { RunConfig } from '../config/run-config.js';
import type { JsonObject } from '../contracts/documents.js';
import { LocalDocumentStore } from '../documents/local/local-document-store.js';
import { TemplateFolders } from '../documents/local/template-folders.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps, StepRequest } from '../engine/deps.js';
import { addressRun } from '../engine/flow-run.js';
import type { StepOutcome } from '../engine/outcome.js';
import { runStep } from '../engine/run-step.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { makeFolder } from '../local-disk/make-folder.js';
import { isGone, thisProcess } from '../local-disk/process-identity.js';
import { Workspace } from '../local-disk/workspace.js';
import type { Logger } from '../log/logger.js';
import { importFlowRun, lookBeforeImport } from './flow-run-import.js';
import { importedView } from './imported-view.js';

export interface LocalRun {
  readonly outcome: StepOutcome;
  /** Where a person can open an object of the run; `undefined`: it is not on this machine. */
  localPathOf(gsUri: string): string | undefined;
}

/**
 * `run-local` on the local backend: wires the engine to a workspace, imports the flow run, does the
 * step. Rejects with `ConfigError` or `StoreUnavailable`.
 */
export async function runOnLocalBackend(
  config: RunConfig,
  document: JsonObject,
  context: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<LocalRun> {
  const run = addressRun(document, config.stepId);
  // Before the workspace is so much as made: what cannot be addressed writes nothing.
  if ('reason' in run) return { outcome: run, localPathOf: () => undefined };

  const { runId } = run;
  const flowKey = document.flowKey;
  const logger = context.logger.with({
    runId,
    ...(typeof flowKey === 'string' && { flowKey }),
  });
  if (config.out !== undefined && !config.dryRun) await prepareOut(config.out);
  const workspace = config.dryRun
    ? Workspace.peek(config.workspace)
    : await Workspace.open(config.workspace);
  try {
    const documents = new LocalDocumentStore(workspace);
    const artifacts = new LocalArtifactStore(workspace, config.bucket);
    const localPathOf = (uri: string) =>
      uri.startsWith(gsUri(config.bucket, ''))
        ? artifacts.localPath(uri.slice(gsUri(config.bucket, '').length))
        : undefined;
    const deps: EngineDeps = {
      documents,
      artifacts,
      provider: new FixtureProvider([...given(config.fixturesDir), bundled.fixtures]),
      templates: new TemplateFolders([...given(config.templatesDir), bundled.templates]),
      accounts: config.accounts,
      owner: thisProcess(),
      ownerIsGone: isGone,
      clock: systemClock,
      logger,
      signal: context.signal,
      settings: config,
    };
    const request: StepRequest = {
      runId,
      stepId: config.stepId,
      asGiven: run,
      replay: config.replay,
      ignoreDependencies: config.ignoreDependencies,
      tolerateAbsentDependencies: config.stepId !== undefined,
      dryRun: config.dryRun,
    };
    if (config.dryRun) {
      const { result } = await lookBeforeImport(documents, run, isGone);
      const view = result === 'imported' ? importedView(documents, run) : documents;
      return { outcome: await runStep(request, { ...deps, documents: view }), localPathOf };
    }
    const result = await importFlowRun(documents, run, isGone);
    const words = {
      imported: `flow run ${runId} is imported into the workspace`,
      kept: `flow run ${runId} is in the workspace already; its document goes on`,
      leased: `the file differs from the workspace's flow run ${runId}, but a step of it is being worked on; the workspace's document goes on`,
    };
    logger[result === 'leased' ? 'warn' : 'info']('flow_run_imported', words[result], {
      result,
      path: documents.fileOf(paths.flowRun(runId)),
    });
    const outcome = await runStep(request, deps);
    if (config.out !== undefined) await copyOut(config.out, outcome, localPathOf);
    return { outcome, localPathOf };
  } finally {
    await workspace.close();
  }
}

function given(folder: string | undefined): string[] {
  return folder === undefined ? [] : [folder];
}

async function prepareOut(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new ConfigError(
      `--out ${folder} cannot be written: ${reasonOf(error)}; name another folder`,
    );
  }
}

/** The PNGs under their plain names, for people who want nothing but the pictures. */
async function copyOut(
  folder: string,
  outcome: StepOutcome,
  localPathOf: (gsUri: string) => string | undefined,
): Promise<void> {
  if (outcome.reason !== 'succeeded' && outcome.reason !== 'failed') return;
  for (const { png_gcs_uri: uri } of outcome.items) {
    const file = localPathOf(uri);
    if (file === undefined) continue;
    const plainName = basename(uri);
    const part = join(folder, `.${plainName}.${process.pid}.part`);
    try {
      await copyFile(file, part);
      await rename(part, join(folder, plainName));
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      throw new StoreUnavailable(
        `step ${outcome.stepId} is settled, but --out ${folder} lacks ${plainName}: ${reasonOf(error)}; copy it from ${file}`,
      );
    }
  }
}
