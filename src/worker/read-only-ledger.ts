import type { DocumentStore } from '../documents/document-store.js';
import { isUsagePath } from '../documents/paths.js';

/** The store, whose usage documents are read and never written: calls to fixtures are not calls. */
export function readOnlyLedger(documents: DocumentStore): DocumentStore {
  return {
    read: (paths) => documents.read(paths),
    commit: (writes) => documents.commit(writes.filter(({ path }) => !isUsagePath(path))),
    list: (collection, page) => documents.list(collection, page),
  };
}
