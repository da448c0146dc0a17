import { GcsArtifactStore } from '../../artifacts/gcs/gcs-artifact-store.js';
import type { CloudConfig, RunConfig } from '../../config/run-config.js';
import type { DocumentStore } from '../../documents/document-store.js';
import { FirestoreDocumentStore } from '../../documents/firestore/firestore-document-store.js';
import { TemplateFolders } from '../../documents/local/template-folders.js';
import { paths } from '../../documents/paths.js';
import type { Run } from '../../engine/flow-run.js';
import type { Logger } from '../../log/logger.js';
import type { OpenBackend } from './backend.js';
import { givenView } from './given-view.js';
import { findProject } from './google-door.js';
import { importedView } from './imported-view.js';
import { readOnlyLedger } from './read-only-ledger.js';

/** Firestore and Cloud Storage, or their emulators. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openGcpBackend(
  config: RunConfig & { readonly cloud: CloudConfig },
  run: Run,
  logger: Logger,
): Promise<OpenBackend> {
  const { cloud, bucket, templatesDir, chartsApiMode } = config;
  const projectId = await findProject(cloud);
  logger.info('cloud_target', `project ${projectId}, ${targetWords(cloud)}`, {
    project: projectId,
    database: cloud.database,
    bucket,
    firestoreEmulator: cloud.firestoreEmulatorHost ?? null,
    storageEmulator: cloud.storageEmulatorUrl ?? null,
  });
  const firestore = new FirestoreDocumentStore({
    projectId,
    database: cloud.database,
    emulatorHost: cloud.firestoreEmulatorHost,
  });
  try {
    const live = cloud.createFlowRun ? await created(firestore, run, config, logger) : firestore;
    // What is rehearsed here must not take production's quota away.
    const ledger = chartsApiMode === 'mock' ? readOnlyLedger(live) : live;
    return {
      documents: givenView(ledger, run, logger),
      artifacts: new GcsArtifactStore({
        bucket,
        projectId,
        emulator: cloud.storageEmulatorUrl,
      }),
      templates: new TemplateFolders(templatesDir === undefined ? [] : [templatesDir]),
      // Nobody here can look at another machine's processes: silence alone tells.
      ownerIsGone: () => false,
      close: () => firestore.close(),
    };
  } catch (error) {
    await firestore.close();
    throw error;
  }
}

/** The store with the flow run in it; one that is there is used as it is. A dry run only looks. */
async function created(
  documents: DocumentStore,
  run: Run,
  { dryRun }: RunConfig,
  logger: Logger,
): Promise<DocumentStore> {
  const { runId, data } = run;
  const path = paths.flowRun(runId);
  const isThere = async () => (await documents.read([path])).get(path) !== undefined;
  if (dryRun) return (await isThere()) ? documents : importedView(documents, run);
  const result = await documents.commit([{ kind: 'put', path, data, when: { absent: true } }]);
  if (result.status === 'unclear' && !(await isThere())) throw result.cause;
  const words =
    result.status === 'refused'
      ? `flow run ${runId} is there already and is used as it is`
      : `flow run ${runId} is created; where the function is deployed, it may take the run's READY steps`;
  logger.info('flow_run_created', words, { created: result.status !== 'refused' });
  return documents;
}

function targetWords({ database, firestoreEmulatorHost, storageEmulatorUrl }: CloudConfig): string {
  const on = (what: string, emulator: string | undefined) =>
    emulator === undefined ? what : `${what} on the emulator at ${emulator}`;
  return `${on(`Firestore database ${database}`, firestoreEmulatorHost)}, ${on('Cloud Storage', storageEmulatorUrl)}`;
}
