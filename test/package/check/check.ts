import type { pack } from '../../support/packed.js';

/** What a check works on: the tarball as it would be published, and a folder that goes away after all. */
export interface Place {
  readonly packed: Awaited<ReturnType<typeof pack>>;
  readonly folder: string;
  /** `host:port` of the Firestore emulator; `undefined`: there is none. */
  readonly firestore: string | undefined;
  /** The registry is not asked; what only it knows is passed over, and said so. */
  readonly isOffline: boolean;
}

export type Finding =
  | { readonly status: 'ok' | 'SKIPPED'; readonly detail: string; readonly listing?: string }
  | { readonly status: 'FAILED'; readonly problems: readonly string[] };

/** What it throws is a problem too. */
export interface Check {
  readonly name: string;
  find(place: Place): Promise<Finding>;
}

/** A check that knows nothing but its problems: none, and it is well. */
export function verdict(problems: readonly string[], detail: string, listing?: string): Finding {
  if (problems.length > 0) return { status: 'FAILED', problems };
  return { status: 'ok', detail, ...(listing !== undefined && { listing }) };
}
