import type { RunConfig } from '../../config/run-config.js';
import type { DocumentStore } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import type { Run } from '../../engine/flow-run.js';
import type { Logger } from '../../log/logger.js';
import type { OpenBackend } from '../../worker/backend.js';
import { importFlowRun, lookBeforeImport } from './flow-run-import.js';
import { givenView } from './given-view.js';
import { importedView } from './imported-view.js';

/**
 * The documents as the engine is to see them, with the given file's flow run taken in: imported into
 * a workspace, laid over the live one in the cloud. Rejects with `StoreUnavailable`.
 */
export async function takeIn(
  run: Run,
  config: RunConfig,
  backend: OpenBackend,
  logger: Logger,
): Promise<DocumentStore> {
  if (config.backend === 'gcp') {
    const live = config.createFlowRun ? await created(run, config, backend, logger) : backend;
    return givenView(live.documents, run, logger);
  }
  const { documents, ownerIsGone } = backend;
  if (!config.dryRun) return imported(run, backend, logger);
  const { result } = await lookBeforeImport(documents, run, ownerIsGone);
  return result === 'imported' ? importedView(documents, run) : documents;
}

async function imported(
  run: Run,
  { documents, ownerIsGone, placeOf }: OpenBackend,
  logger: Logger,
): Promise<DocumentStore> {
  const { runId } = run;
  const result = await importFlowRun(documents, run, ownerIsGone);
  const words = {
    imported: `flow run ${runId} is imported into the workspace`,
    kept: `flow run ${runId} is in the workspace already; its document goes on`,
    leased: `the file differs from the workspace's flow run ${runId}, but a step of it is being worked on; the workspace's document goes on`,
  };
  logger[result === 'leased' ? 'warn' : 'info']('flow_run_imported', words[result], {
    result,
    path: placeOf(paths.flowRun(runId)),
  });
  return documents;
}

/** The store with the flow run in it; one that is there is used as it is. A dry run only looks. */
async function created(
  run: Run,
  { dryRun }: RunConfig,
  { documents, placeOf }: OpenBackend,
  logger: Logger,
): Promise<{ readonly documents: DocumentStore }> {
  const { runId, data } = run;
  const path = paths.flowRun(runId);
  const isThere = async () => (await documents.read([path])).get(path) !== undefined;
  if (dryRun) return { documents: (await isThere()) ? documents : importedView(documents, run) };
  const result = await documents.commit([{ kind: 'put', path, data, when: { absent: true } }]);
  if (result.status === 'unclear' && !(await isThere())) throw result.cause;
  if (result.status === 'refused') {
    const words = `flow run ${runId} is there already and is used as it is`;
    logger.info('flow_run_kept', words, { path: placeOf(path) });
  } else {
    const words = `flow run ${runId} is created; where the function is deployed, it may take the run's READY steps`;
    logger.info('flow_run_created', words, { path: placeOf(path) });
  }
  return { documents };
}
