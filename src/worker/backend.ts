import type { ArtifactStore } from '../artifacts/artifact-store.js';
import type { PlaceConfig } from '../config/worker-config.js';
import type { DocumentPath, DocumentStore } from '../documents/document-store.js';
import type { EngineDeps } from '../engine/deps.js';
import type { Logger } from '../log/logger.js';

/** What a backend brings to a worker, once it is open. */
export interface OpenBackend extends Pick<EngineDeps, 'templates' | 'ownerIsGone'> {
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
  /** Where a person finds a document: its file, or its path in Firestore. */
  placeOf(path: DocumentPath): string;
  close(): Promise<void>;
}

/**
 * Whether anything is to be written: who only reads leaves not even a workspace behind, and who
 * works on stored flow runs (`write-if-there`) has nothing to do where there is no workspace.
 */
export type Access = 'read' | 'write' | 'write-if-there';

/** Opens the backend that was asked for. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openBackend(
  config: PlaceConfig,
  access: Access,
  logger: Logger,
): Promise<OpenBackend> {
  const { cloud } = config;
  if (cloud === undefined) {
    const { openLocalBackend } = await import('./local-backend.js');
    return openLocalBackend(config, access);
  }
  const { openGcpBackend } = await import('./gcp-backend.js');
  return openGcpBackend({ ...config, cloud }, logger);
}
