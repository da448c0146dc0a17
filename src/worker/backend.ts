import type { ArtifactStore } from '../artifacts/artifact-store.js';
import type { DocumentPath, DocumentStore } from '../documents/document-store.js';
import type { EngineDeps } from '../engine/deps.js';

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
