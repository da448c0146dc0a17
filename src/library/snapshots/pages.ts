import type { DocumentStore, Page } from '../../documents/document-store.js';

export type Listed = Page['documents'][number];

/** Documents that are looked at together, and written in one commit. */
const PAGE = 100;

/** A whole collection, or what of it is `equal` to that; rejects with the signal's reason. */
export async function* pagesOf(
  documents: DocumentStore,
  collection: string,
  signal: AbortSignal,
  equal: Readonly<Record<string, string>> = {},
): AsyncGenerator<readonly Listed[]> {
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await documents.list(collection, {
      limit: PAGE,
      equal,
      ...(after !== undefined && { after }),
    });
    if (page.documents.length > 0) yield page.documents;
    after = page.next;
  } while (after !== undefined);
}
