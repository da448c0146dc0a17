import { existsSync } from 'node:fs';
import { LocalArtifactStore } from '../artifacts/local/local-artifact-store.js';
import { bundled } from '../config/bundled.js';
import type { PlaceConfig } from '../config/worker-config.js';
import { LocalDocumentStore } from '../documents/local/local-document-store.js';
import { TemplateFolders } from '../documents/local/template-folders.js';
import { isGone } from '../local-disk/process-identity.js';
import { Workspace } from '../local-disk/workspace.js';
import type { Access, OpenBackend } from './backend.js';

/** A workspace on the disk. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openLocalBackend(
  { workspace: folder, bucket, templatesDir }: PlaceConfig,
  access: Access,
): Promise<OpenBackend> {
  const onlyReads = access === 'read' || (access === 'write-if-there' && !existsSync(folder));
  const workspace = onlyReads ? Workspace.peek(folder) : await Workspace.open(folder);
  const documents = new LocalDocumentStore(workspace);
  const folders = templatesDir === undefined ? [] : [templatesDir];
  return {
    documents,
    artifacts: new LocalArtifactStore(workspace, bucket),
    templates: new TemplateFolders([...folders, bundled.templates]),
    ownerIsGone: isGone,
    placeOf: (path) => documents.fileOf(path),
    close: () => workspace.close(),
  };
}
