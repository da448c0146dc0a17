import type { DocumentStore, Page, StoredDocument } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';

const COLLECTION = 'chart_templates';
const PAGE_SIZE = 100;

/** Every chart template of the store, by ascending id. */
export async function allStoredTemplates(documents: DocumentStore): Promise<Page['documents']> {
  const all: Page['documents'][number][] = [];
  let after: string | undefined;
  do {
    const page = await documents.list(COLLECTION, {
      limit: PAGE_SIZE,
      ...(after !== undefined && { after }),
    });
    all.push(...page.documents);
    after = page.next;
  } while (after !== undefined);
  return all;
}

/** Those of the given ids that the store has. */
export async function storedTemplates(
  documents: DocumentStore,
  ids: readonly string[],
): Promise<Map<string, StoredDocument>> {
  const found = new Map<string, StoredDocument>();
  for (let at = 0; at < ids.length; at += PAGE_SIZE) {
    const some = ids.slice(at, at + PAGE_SIZE);
    const reading = await documents.read(some.map(paths.template));
    for (const id of some) {
      const document = reading.get(paths.template(id));
      if (document) found.set(id, document);
    }
  }
  return found;
}
