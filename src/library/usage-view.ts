import { forOnDemand, stopCount, warnCount } from '../accounts/thresholds.js';
import { dayOf, readUsage } from '../accounts/usage.js';
import type { Account } from '../contracts/documents.js';
import type { DocumentStore, StoredDocument } from '../documents/document-store.js';
import { collections, paths } from '../documents/paths.js';
import { type Demand, lookAtDemand } from './demand.js';

const DAY_MS = 86_400_000;

/** One account today, without its key. */
export interface AccountView {
  readonly id: string;
  /** `false`: nobody named it here, only the ledger knows it. */
  readonly configured: boolean;
  readonly plan: string | null;
  readonly priority: number | null;
  /** `null` here and below: it cannot be known. */
  readonly used: number | null;
  readonly limit: number | null;
  readonly left: number | null;
  /** The count from which on a warning is logged. */
  readonly warnsFrom: number | null;
  /** The count at which on-demand work stops; the rest is for steps. */
  readonly stopsOnDemandAt: number | null;
  readonly leftOnDemand: number | null;
  readonly exhausted: boolean;
  /** Why nothing may be spent although the count would allow it. */
  readonly closed: string | null;
}

export interface UsageView {
  readonly day: string;
  /** When the day's quota begins anew. */
  readonly resetsAt: string;
  readonly resetsInSeconds: number;
  readonly accounts: readonly AccountView[];
  /** Of the accounts whose numbers are known. */
  readonly total: { readonly used: number; readonly limit: number; readonly left: number };
  readonly demand: Demand;
}

/** What the ledger says now. Rejects with `StoreUnavailable` or `ConfigError`. */
export async function lookAtUsage(
  accounts: readonly Account[],
  documents: DocumentStore,
): Promise<UsageView> {
  const listed = new Map<string, StoredDocument>();
  let after: string | undefined;
  do {
    const page = await documents.list(collections.usage, {
      limit: 300,
      ...(after !== undefined && { after }),
    });
    for (const { id, ...document } of page.documents) listed.set(id, document);
    after = page.next;
  } while (after !== undefined);
  // A listing does not tell the store's time; a reading does, also of what is not there.
  const ids = accounts.map(({ id }) => id);
  const reading = await documents.read((ids.length > 0 ? ids : ['clock']).map(paths.usage));
  const documentOf = (id: string) => reading.get(paths.usage(id));
  const view = viewUsage(accounts, documentOf, listed, reading.readTimeMs);
  return { ...view, demand: await lookAtDemand(documents, view.day) };
}

/** Pure. Sorted by priority, then by id. */
export function viewUsage(
  accounts: readonly Account[],
  documentOf: (accountId: string) => StoredDocument | undefined,
  listed: ReadonlyMap<string, StoredDocument>,
  nowMs: number,
): Omit<UsageView, 'demand'> {
  const day = dayOf(nowMs);
  const known = new Set(accounts.map(({ id }) => id));
  const views = [
    ...accounts.map((account) => viewAccount(account, documentOf(account.id), true, day)),
    ...[...listed]
      .filter(([id]) => !known.has(id))
      .map(([id, document]) => viewAccount({ id, apiKey: '' }, document, false, day)),
  ].sort(byPriority);
  const total = { used: 0, limit: 0, left: 0 };
  for (const { used, limit, left } of views) {
    if (used === null || limit === null) continue;
    total.used += used;
    total.limit += limit;
    total.left += left ?? 0;
  }
  const resetsAtMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
  return {
    day,
    resetsAt: new Date(resetsAtMs).toISOString(),
    resetsInSeconds: Math.ceil((resetsAtMs - nowMs) / 1_000),
    accounts: views,
    total,
  };
}

function viewAccount(
  account: Account,
  document: StoredDocument | undefined,
  configured: boolean,
  day: string,
): AccountView {
  const usage = readUsage(account, document, day);
  const isJunk = usage.closed !== undefined && usage.limit === 0;
  // Whose limit stands nowhere has one that nobody here can tell.
  const hasLimit = configured || document?.data.dailyLimit !== undefined;
  const hasPriority = configured || document?.data.priority !== undefined;
  const closed = usage.closed ?? null;
  return {
    id: account.id,
    configured,
    plan: account.plan ?? null,
    priority: isJunk || !hasPriority ? null : usage.priority,
    used: isJunk ? null : usage.used,
    limit: isJunk || !hasLimit ? null : usage.limit,
    left: closed === null && !hasLimit ? null : usage.left,
    warnsFrom: isJunk || !hasLimit ? null : warnCount(usage),
    stopsOnDemandAt: isJunk || !hasLimit ? null : stopCount(usage),
    leftOnDemand: closed === null && !hasLimit ? null : forOnDemand(usage).left,
    exhausted: (closed !== null || hasLimit) && usage.left === 0,
    closed,
  };
}

/** Without a priority: the default one. */
function byPriority(a: AccountView, b: AccountView): number {
  const difference = (a.priority ?? 0) - (b.priority ?? 0);
  if (difference !== 0) return difference;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
