import { LocalArtifactStore } from '../../artifacts/local/local-artifact-store.js';
import { bundled } from '../../config/bundled.js';
import type { RunConfig } from '../../config/run-config.js';
import { LocalDocumentStore } from '../../documents/local/local-document-store.js';
import { TemplateFolders } from '../../documents/local/template-folders.js';
import { paths } from '../../documents/paths.js';
import type { Run } from '../../engine/flow-run.js';
import { isGone } from '../../local-disk/process-identity.js';
import { Workspace } from '../../local-disk/workspace.js';
import type { Logger } from '../../log/logger.js';
import type { OpenBackend } from './backend.js';
import { importFlowRun, lookBeforeImport } from './flow-run-import.js';
import { importedView } from './imported-view.js';

/** A workspace on the disk, with the flow run imported. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openLocalBackend(
  config: RunConfig,
  run: Run,
  logger: Logger,
): Promise<OpenBackend> {
  const workspace = config.dryRun
    ? Workspace.peek(config.workspace)
    : await Workspace.open(config.workspace);
  try {
    const documents = new LocalDocumentStore(workspace);
    const folders = config.templatesDir === undefined ? [] : [config.templatesDir];
    return {
      documents: config.dryRun
        ? await asIfImported(documents, run)
        : await imported(documents, run, logger),
      artifacts: new LocalArtifactStore(workspace, config.bucket),
      templates: new TemplateFolders([...folders, bundled.templates]),
      ownerIsGone: isGone,
      close: () => workspace.close(),
    };
  } catch (error) {
    await workspace.close();
    throw error;
  }
}

async function asIfImported(documents: LocalDocumentStore, run: Run) {
  const { result } = await lookBeforeImport(documents, run, isGone);
  return result === 'imported' ? importedView(documents, run) : documents;
}

async function imported(documents: LocalDocumentStore, run: Run, logger: Logger) {
  const { runId } = run;
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
  return documents;
}
