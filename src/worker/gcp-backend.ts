import { GcsArtifactStore } from '../artifacts/gcs/gcs-artifact-store.js';
import type { CloudConfig } from '../config/cloud-config.js';
import type { PlaceConfig } from '../config/worker-config.js';
import { FirestoreDocumentStore } from '../documents/firestore/firestore-document-store.js';
import { TemplateFolders } from '../documents/local/template-folders.js';
import { SignIn } from '../google/sign-in.js';
import type { Logger } from '../log/logger.js';
import type { OpenBackend } from './backend.js';
import { findProject } from './google-door.js';

/** Firestore and Cloud Storage, or their emulators. Rejects with `ConfigError`. */
export async function openGcpBackend(
  config: PlaceConfig & { readonly cloud: CloudConfig },
  logger: Logger,
): Promise<OpenBackend> {
  const { cloud, bucket, touchesObjects, templatesDir } = config;
  const projectId = await findProject(cloud);
  logger.info('cloud_target', `project ${projectId}, ${targetWords(cloud)}`, {
    project: projectId,
    database: cloud.database,
    bucket: touchesObjects ? bucket : null,
    firestoreEmulator: cloud.firestoreEmulatorHost ?? null,
    storageEmulator: cloud.storageEmulatorUrl ?? null,
  });
  const { database, proxy } = cloud;
  const signIn = new SignIn();
  const firestore = new FirestoreDocumentStore({
    projectId,
    database,
    emulatorHost: cloud.firestoreEmulatorHost,
    signIn,
    proxy,
  });
  return {
    documents: firestore,
    artifacts: new GcsArtifactStore({
      bucket,
      emulator: cloud.storageEmulatorUrl,
      ...(cloud.storageEmulatorUrl === undefined && { signIn }),
      proxy,
    }),
    templates: new TemplateFolders(templatesDir === undefined ? [] : [templatesDir]),
    // Nobody here can look at another machine's processes: silence alone tells.
    ownerIsGone: () => false,
    placeOf: (path) => path,
    close: () => firestore.close(),
  };
}

function targetWords({ database, firestoreEmulatorHost, storageEmulatorUrl }: CloudConfig): string {
  const on = (what: string, emulator: string | undefined) =>
    emulator === undefined ? what : `${what} on the emulator at ${emulator}`;
  return `${on(`Firestore database ${database}`, firestoreEmulatorHost)}, ${on('Cloud Storage', storageEmulatorUrl)}`;
}
