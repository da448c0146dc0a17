import type { DocumentStore, Reading, StoredDocument } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import type { Run } from '../../engine/flow-run.js';

/**
 * For a dry run: the store as it would be after the file's flow run was imported, without
 * importing it. Only ever read.
 */
export function importedView(documents: DocumentStore, run: Run): DocumentStore {
  const path = paths.flowRun(run.runId);
  return {
    async read(wanted): Promise<Reading> {
      const reading = await documents.read(wanted);
      const imported: StoredDocument = {
        data: run.data,
        version: 'not imported yet',
        updateTimeMs: reading.readTimeMs,
      };
      return {
        readTimeMs: reading.readTimeMs,
        get: (asked) => (asked === path ? imported : reading.get(asked)),
      };
    },
    list: (collection, page) => documents.list(collection, page),
    commit: () => Promise.reject(new Error('a dry run writes nothing')),
  };
}
