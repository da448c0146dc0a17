import type { JsonObject } from '../contracts/documents.js';

/** `flow_runs/<runId>`, `flow_runs/<runId>/step_leases/<stepId>`: collection and id in turn. */
export type DocumentPath = string;

export interface StoredDocument {
  readonly data: JsonObject;
  /** Opaque; another one means that somebody wrote the document. */
  readonly version: string;
  /** Of the last write, by the store's clock; epoch milliseconds. */
  readonly updateTimeMs: number;
}

/**
 * Several documents, read together. Not for sure as of one moment (the emulator mixes): what is
 * decided from several of them is guarded by their versions when it is committed.
 */
export interface Reading {
  /** When, by the store's clock; epoch milliseconds. */
  readonly readTimeMs: number;
  /** `undefined`: there was no such document. */
  get(path: DocumentPath): StoredDocument | undefined;
}

export type Precondition = { readonly absent: true } | { readonly version: string };

export type FieldPath = readonly [string, ...string[]];

export type Write =
  /** The whole document; every field not named is gone. */
  | {
      readonly kind: 'put';
      readonly path: DocumentPath;
      readonly data: JsonObject;
      readonly when?: Precondition;
    }
  /** The named fields alone; a value of `undefined` removes its field. Creates what is absent. */
  | {
      readonly kind: 'patch';
      readonly path: DocumentPath;
      readonly fields: readonly (readonly [FieldPath, unknown])[];
      readonly when?: Precondition;
    }
  /** The document is gone; where there was none, nothing happens. */
  | { readonly kind: 'delete'; readonly path: DocumentPath; readonly when?: Precondition };

/**
 * - `committed`: every write was applied; `versions` holds the new one of each path that there is.
 * - `refused`: a precondition did not hold; nothing was applied.
 * - `unclear`: no answer came. It may have been applied, or may yet be: read back, look for your token.
 */
export type CommitResult =
  | { readonly status: 'committed'; readonly versions: ReadonlyMap<DocumentPath, string> }
  | { readonly status: 'refused' }
  | { readonly status: 'unclear'; readonly cause: Error };

/** Which part of a collection is asked for. */
export interface PageRequest {
  /** At most so many documents; fewer are no sign of the end. */
  readonly limit: number;
  /** The earlier page's `next`, or any id: only greater ones. */
  readonly after?: string;
  /** Only ids less than this one. */
  readonly before?: string;
  /** Only documents whose field, a string at their top, is one of these; at most 30. */
  readonly where?: { readonly field: string; readonly among: readonly string[] };
  /** Only documents whose fields, strings at their top, are equal to all of these. */
  readonly equal?: Readonly<Record<string, string>>;
  /**
   * `false`: of this id the caller knows that its document is none of those. For stores without an
   * index, which would have to open each: others may pass over it.
   */
  readonly mayBe?: (id: string) => boolean;
}

export interface Page {
  readonly documents: readonly (StoredDocument & { readonly id: string })[];
  /** Give it back as `after` for the next page, which may be empty; absent: there is none. */
  readonly next?: string;
}

/**
 * All that claim, ledger and settle need of Firestore: optimistic concurrency with
 * preconditions. No interactive transactions: on hot documents they end in `ABORTED: too much
 * contention`. Every method rejects with `StoreUnavailable` when the store cannot be used;
 * `commit` does so only if surely nothing was applied.
 */
export interface DocumentStore {
  read(paths: readonly DocumentPath[]): Promise<Reading>;
  /** All or nothing. A failed precondition is an answer, never retried in here. */
  commit(writes: readonly Write[]): Promise<CommitResult>;
  /** Documents of one collection by ascending id. */
  list(collection: string, page: PageRequest): Promise<Page>;
}
