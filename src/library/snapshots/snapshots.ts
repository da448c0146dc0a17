import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import { toInterval } from '../../chart-img/intervals.js';
import { isSnapshotId } from '../../contracts/library.js';
import type { DocumentStore } from '../../documents/document-store.js';
import { collections, paths } from '../../documents/paths.js';
import { ConfigError, StoreUnavailable } from '../../failures.js';
import { Pictures } from './pictures.js';
import { type PruneOptions, type PruneReport, prune } from './prune.js';
import { idPrefix, parseSnapshot, type Snapshot } from './snapshot.js';

/** Which charts are asked for; what is absent does not matter. */
export interface SnapshotFilter {
  readonly symbol?: string | undefined;
  /** In any spelling that Chart-IMG's interval has. */
  readonly timeframe?: string | undefined;
  readonly chartTemplateId?: string | undefined;
  /** Made then, or later. */
  readonly since?: Date | undefined;
  readonly state?: Snapshot['state'] | undefined;
}

export interface SnapshotPage {
  readonly snapshots: readonly Snapshot[];
  /** The `cursor` of the next page; absent: there is none. */
  readonly next?: string;
}

/** The stores that a library's history lies in. */
export interface SnapshotStores {
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
}

/**
 * The history of stored charts: `chart_snapshots` and the pictures they name. A picture is deleted
 * first, then its document is written: whoever is killed in between leaves a document whose picture
 * is gone, which the next try ends, and never a picture that nothing names.
 * Every method rejects with `StoreUnavailable` or `ConfigError` as the stores do.
 */
export class Snapshots {
  readonly #stores: SnapshotStores;
  readonly #pictures: Pictures;

  constructor(stores: SnapshotStores) {
    this.#stores = stores;
    this.#pictures = new Pictures(stores.artifacts);
  }

  /** Newest first. */
  async list(
    filter: SnapshotFilter,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<SnapshotPage> {
    const snapshots: Snapshot[] = [];
    let after = cursor;
    do {
      const page = await this.#stores.documents.list(collections.chartSnapshots, {
        // One more tells whether there is a next page.
        limit: limit + 1 - snapshots.length,
        ...(after !== undefined && { after }),
        ...conditionsOf(filter),
      });
      for (const { id, data } of page.documents) {
        const snapshot = parseSnapshot(id, data);
        if (snapshot) snapshots.push(snapshot);
      }
      after = page.next;
    } while (after !== undefined && snapshots.length <= limit);
    const shown = snapshots.slice(0, limit);
    const last = shown.at(-1);
    return snapshots.length > limit && last
      ? { snapshots: shown, next: last.id }
      : { snapshots: shown };
  }

  /** The newest whose picture is still kept. */
  async latest(filter: SnapshotFilter): Promise<Snapshot | undefined> {
    const page = await this.list({ ...filter, state: 'stored' }, { limit: 1 });
    return page.snapshots[0];
  }

  /** `undefined`: there is none of this id, or what there is is no snapshot. */
  async find(id: string): Promise<Snapshot | undefined> {
    if (!isSnapshotId(id)) return undefined;
    const path = paths.chartSnapshot(id);
    const document = (await this.#stores.documents.read([path])).get(path);
    return document && parseSnapshot(id, document.data);
  }

  /** `undefined`: it was pruned, somebody else deleted it, or it lies in another bucket. */
  image(snapshot: Snapshot): Promise<Uint8Array | undefined> {
    return this.#pictures.bytesOf(snapshot);
  }

  /**
   * Removes a chart, picture and document. `kept`: a manifest still names the picture, and nothing
   * was removed; with `force` that does not matter. Rejects with `ConfigError` for a picture in
   * another bucket.
   */
  async remove(
    id: string,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<'removed' | 'absent' | 'kept'> {
    const { documents } = this.#stores;
    const snapshot = await this.find(id);
    if (!snapshot) return 'absent';
    if (snapshot.state === 'stored') {
      if (!this.#pictures.isHere(snapshot)) {
        const [bucket] = snapshot.uri.slice('gs://'.length).split('/');
        throw new ConfigError(
          `the picture of ${id} lies in gs://${bucket}: name that bucket with --charts-bucket`,
        );
      }
      if (!force && (await this.#pictures.isNamed(snapshot))) return 'kept';
      await this.#pictures.delete(snapshot);
    }
    const result = await documents.commit([{ kind: 'delete', path: paths.chartSnapshot(id) }]);
    if (result.status === 'committed') return 'removed';
    throw new StoreUnavailable(`no answer to the removal of ${id}: run it again, it ends it`);
  }

  /** Deletes what expired. See `prune`. */
  prune(options: PruneOptions, signal: AbortSignal): Promise<PruneReport> {
    const { documents, artifacts } = this.#stores;
    return prune({ documents, artifacts, pictures: this.#pictures }, options, signal);
  }
}

/** Both for a store with indexes and for one that only knows its documents' names. */
function conditionsOf({ symbol, timeframe, chartTemplateId, since, state }: SnapshotFilter) {
  const interval = timeframe === undefined ? undefined : (toInterval(timeframe) ?? timeframe);
  const wanted = { symbol, interval, chartTemplateId, state };
  const equal = Object.fromEntries(
    Object.entries(wanted).flatMap(([field, value]) =>
      value === undefined ? [] : [[field, value]],
    ),
  );
  return {
    equal,
    // An id's parts may hold its separator: what matches here is still looked at.
    mayBe: (id: string) => {
      const shown = id.slice(id.indexOf('_'));
      return (
        (symbol === undefined || shown.startsWith(`_${symbol}_`)) &&
        (interval === undefined || shown.includes(`_${interval}_`)) &&
        (chartTemplateId === undefined || shown.includes(`_${chartTemplateId}_`))
      );
    },
    ...(since && { before: idPrefix(since.getTime() - 1) }),
  };
}
