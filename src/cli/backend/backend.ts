import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import type { DocumentStore } from '../../documents/document-store.js';
import type { EngineDeps } from '../../engine/deps.js';

/** What a backend brings to one run, once it is open. */
export interface OpenBackend extends Pick<EngineDeps, 'templates' | 'ownerIsGone'> {
  /** As the engine is to see them, with the given flow run taken in. */
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
  close(): Promise<void>;
}
