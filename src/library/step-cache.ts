import { gsUri } from '../artifacts/object-names.js';
import type { Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type {
  CachedPicture,
  ChartCache,
  OnceRequest,
  RecordedStep,
} from '../engine/chart-cache.js';
import type { StepError } from '../engine/outcome.js';
import type { RenderableChart } from '../engine/plan.js';
import { LeaseLost } from '../engine/step-lease.js';
import type { StoredChart } from '../engine/stored-chart.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Logger } from '../log/logger.js';
import { type CacheEntry, entryIn, entryWrite, pictureOf } from './cache-entry.js';
import { chartKey, type Origins } from './chart-key.js';
import { type Freshness, isFresh } from './freshness.js';
import { endKey, KeyBusy, type KeyDeps, type KeyTaken, takeKey } from './key-lease.js';
import { newSnapshot, type Snapshot, snapshotWrite } from './snapshots/snapshot.js';

export interface StepCacheSettings extends Freshness {
  readonly origins: Origins;
  readonly bucket: string;
  /** For how long a chart is kept. */
  readonly retentionMs: number;
}

/** The pictures that steps share with each other, and with charts on demand. */
export class StepCache implements ChartCache {
  readonly #deps: KeyDeps;
  readonly #settings: StepCacheSettings;
  readonly #logger: Logger;

  constructor(deps: KeyDeps, settings: StepCacheSettings, logger: Logger) {
    this.#deps = deps;
    this.#settings = settings;
    this.#logger = logger;
  }

  async recall(charts: readonly RenderableChart[]): Promise<Map<string, CachedPicture>> {
    const found = new Map<string, CachedPicture>();
    if (this.#settings.refresh || charts.length === 0) return found;
    const keys = charts.map((chart) => chartKey(chart, this.#settings.origins));
    const reading = await this.#deps.documents
      .read(keys.map(paths.chartCache))
      .catch((error: unknown) => this.#goWithout(error, 'not looked up in the cache'));
    if (!reading) return found;
    for (const [index, { chartTemplateId }] of charts.entries()) {
      const entry = entryIn(reading, keys[index] ?? '');
      const { readTimeMs } = reading;
      const picture = entry && this.#pictureIn(entry, readTimeMs, readTimeMs);
      if (picture) found.set(chartTemplateId, picture);
    }
    return found;
  }

  async once(
    chart: RenderableChart,
    { step, gone, signal }: OnceRequest,
    render: () => Promise<StoredChart | StepError>,
  ): Promise<StoredChart | StepError | { readonly picture: CachedPicture }> {
    const key = chartKey(chart, this.#settings.origins);
    const taken = await this.#take(key, gone, signal);
    if (!taken) return render();
    if (taken.kind === 'known') {
      const picture = this.#pictureOf(taken.entry);
      return picture ? { picture } : render();
    }
    const { lease } = taken;
    // Whoever takes the key over pays for a picture of its own; ours is paid for, and goes on.
    const beating = lease
      .beat(() => undefined)
      .catch((error: unknown) => this.#tell('others may render it as well', error));
    let stored: StoredChart | undefined;
    try {
      const result = await render();
      if ('item' in result) stored = result;
      return result;
    } finally {
      // Along with the history: who dies before its settle leaves no picture that only the cache knows.
      const snapshot = stored && this.#snapshotOf(step, stored);
      const writes = snapshot ? [entryWrite(key, snapshot), snapshotWrite(snapshot)] : [];
      try {
        await this.#end(lease, writes);
      } finally {
        lease.stop();
        await beating;
      }
    }
  }

  recordsOf(step: RecordedStep, charts: readonly StoredChart[]): Write[] {
    return charts
      .filter(({ isOld, item }) => !isOld && item.meta)
      .map((chart) => snapshotWrite(this.#snapshotOf(step, chart)));
  }

  /** `undefined`: the cache cannot be asked, which is no reason to fail a chart. */
  async #take(
    key: string,
    gone: CachedPicture | undefined,
    signal: AbortSignal,
  ): Promise<Extract<KeyTaken<Nothing, never>, { kind: 'known' | 'ours' }> | undefined> {
    try {
      const taken = await takeKey<Nothing, never>(
        {
          key,
          alsoRead: [],
          wants: (entry, readTimeMs, sinceMs) => {
            const picture = this.#pictureIn(entry, readTimeMs, sinceMs);
            return picture !== undefined && picture.objectName !== gone?.objectName;
          },
          reserve: async () => NOTHING,
          // A dead holder is found out by then; a slow one must not cost a step that has units its chart.
          patienceMs: this.#deps.leaseTtlMs,
          signal,
        },
        this.#deps,
      );
      return taken.kind === 'known' || taken.kind === 'ours' ? taken : undefined;
    } catch (error) {
      return this.#goWithout(error, 'rendered without the cache');
    }
  }

  /** The chart is stored, or failed, whether or not the others hear of it. */
  async #end(lease: Parameters<typeof endKey>[0], writes: readonly Write[]): Promise<void> {
    try {
      // What a chart on demand left there under this key, whoever asks for one next is to look for.
      const mayBeThere = lease.current.folder !== undefined;
      await endKey(lease, this.#deps.clock, { writes, mayBeThere });
    } catch (error) {
      this.#goWithout(error, 'not kept in the cache');
    }
  }

  /** Of the store's failures none is the chart's; anything else is a bug. */
  #goWithout(error: unknown, what: string): undefined {
    const isForeseen = FORESEEN.some((kind) => error instanceof kind);
    if (!isForeseen) throw error;
    this.#tell(what, error);
  }

  #tell(what: string, error: unknown): void {
    this.#logger.warn('chart_cache_unavailable', `${what}: ${reasonOf(error)}`);
  }

  #pictureIn(entry: CacheEntry, readTimeMs: number, sinceMs: number): CachedPicture | undefined {
    const isWanted = isFresh(entry, this.#settings, readTimeMs, sinceMs);
    return isWanted ? this.#pictureOf(entry) : undefined;
  }

  #pictureOf({ snapshot }: CacheEntry): CachedPicture | undefined {
    return pictureOf(snapshot, gsUri(this.#settings.bucket, ''));
  }

  #snapshotOf({ runId, stepId, inputs }: RecordedStep, { item }: StoredChart): Snapshot {
    const { chartTemplateId, generatedAt, png_gcs_uri: uri, meta } = item;
    if (!meta) throw new Error(`${chartTemplateId} was stored without its facts`);
    const { symbol, timeframe } = inputs;
    const facts = { ...meta, symbol, timeframe, chartTemplateId, uri, generatedAt };
    const made = { ...facts, triggerType: 'step', runId, stepId } as const;
    return newSnapshot(made, this.#settings.retentionMs);
  }
}

/** What may come of sharing with others. */
const FORESEEN = [StoreUnavailable, ConfigError, LeaseLost, KeyBusy];

type Nothing = typeof NOTHING;
/** A step's own lease holds its quota. */
const NOTHING = { reserved: {}, writes: [] } as const;
