import { Spending } from '../accounts/spending.js';
import { forOnDemand } from '../accounts/thresholds.js';
import { gsUri } from '../artifacts/object-names.js';
import type { Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps } from '../engine/deps.js';
import { chartError, Drawing, type Drawn } from '../engine/drawing.js';
import type { LeaseDocument } from '../engine/lease-document.js';
import type { StepError } from '../engine/outcome.js';
import { refundable, refundOf } from '../engine/quota-desk.js';
import { warnOfUsage } from '../engine/quota-warning.js';
import type { ServerClock } from '../engine/server-clock.js';
import { LeaseLost, type StepLease } from '../engine/step-lease.js';
import { DeadlinePassed, Stopping } from '../engine/stopping.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Logger } from '../log/logger.js';
import { entryWrite, pictureOf } from './cache-entry.js';
import { chartKey, type Origins } from './chart-key.js';
import { type Freshness, isFresh, isYoung } from './freshness.js';
import { endKey, type KeyRefund, type Reservation, takeKey } from './key-lease.js';
import type { Generated, LibraryError, TriggerType } from './library.js';
import {
  findPicture,
  folderOf,
  type PictureFacts,
  type StoredPicture,
  storePicture,
} from './library-picture.js';
import { OnDemandQuota, type PaidUnit, resetOf } from './on-demand-quota.js';
import { libraryError, type OrderedChart } from './plan-order.js';
import { newSnapshot, type Snapshot, snapshotWrite } from './snapshots/snapshot.js';

/** Who asks, and how old a picture may be. */
export interface MakeRequest extends Freshness {
  readonly trigger: TriggerType;
  readonly generatedBy: string | undefined;
  /** Of the whole order: at its deadline it aborts with a `DeadlinePassed`. */
  readonly signal: AbortSignal;
}

export interface MakerSettings {
  readonly origins: Origins;
  /** For how long a chart is kept. */
  readonly retentionMs: number;
}

interface Claim extends Reservation {
  /** `undefined`: it costs nothing. */
  readonly paidBy?: PaidUnit['paidBy'];
  /** What a holder who died had stored already. */
  readonly found?: Snapshot;
}

interface Ours {
  readonly lease: StepLease;
  readonly serverClock: ServerClock;
  /** `undefined`: there are no accounts. */
  readonly spending: Spending | undefined;
}

const FREE: Claim = { reserved: {}, writes: [] };

/**
 * Charts without a flow run, one at a time: each is a lease on its key, whose claim reserves the
 * chart's unit, and one commit that makes it known. Pace and bad keys are remembered between them.
 */
export class ChartMaker {
  readonly #deps: EngineDeps;
  readonly #settings: MakerSettings;
  readonly #quota: OnDemandQuota;

  constructor(deps: EngineDeps, settings: MakerSettings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#quota = new OnDemandQuota(deps);
  }

  /** Rejects with the signal's reason, with `StoreUnavailable` or `ConfigError`. */
  async make(ordered: OrderedChart, request: MakeRequest): Promise<Generated> {
    const logger = this.#deps.logger.with({
      symbol: ordered.symbol,
      timeframe: ordered.timeframe,
      chartTemplateId: ordered.chart.chartTemplateId,
    });
    try {
      return await this.#make(ordered, request, logger);
    } catch (error) {
      const failure = failureOf(error, ordered, request.signal);
      if (!failure) throw error;
      return refused(ordered, libraryError(failure), logger);
    }
  }

  async #make(ordered: OrderedChart, request: MakeRequest, logger: Logger): Promise<Generated> {
    const { artifacts, accounts, clock, settings } = this.#deps;
    const { chart, notices } = ordered;
    const key = chartKey(chart, this.#settings.origins);
    const gone = new Set<string>();
    for (;;) {
      const taken = await takeKey<Claim, LibraryError>(
        {
          key,
          folder: folderOf(ordered, new Date(clock.now())),
          alsoRead: accounts.map(({ id }) => paths.usage(id)),
          wants: (entry, readTimeMs, sinceMs) =>
            isFresh(entry, request, readTimeMs, sinceMs) && !gone.has(entry.snapshot.id),
          reserve: (reading, dead) => this.#reserve(ordered, request, reading, dead),
          sharesFailures: true,
          signal: request.signal,
        },
        { ...this.#deps, leaseTtlMs: settings.leaseTtlMs },
      );
      switch (taken.kind) {
        case 'refused':
          return refused(ordered, taken.refusal, logger);
        case 'known': {
          const { snapshot } = taken.entry;
          const picture = pictureOf(snapshot, gsUri(artifacts.bucket, ''));
          if (picture && (await artifacts.look(picture.objectName))) {
            const message = `the picture of ${snapshot.generatedAt}, from the cache`;
            logger.info('chart_reused', `${labelOf(ordered)} is ${message}`);
            return { kind: 'chart', snapshot, source: 'cache', notices };
          }
          // Somebody removed it.
          gone.add(snapshot.id);
          break;
        }
        case 'failed':
          return refused(ordered, taken.failure, logger);
        case 'ours': {
          const { lease, serverClock, reservation } = taken;
          const { paidBy, reserved, found } = reservation;
          if (paidBy) warnOfUsage(paidBy, 1, logger);
          const spending = accounts.length > 0 ? new Spending(accounts, reserved) : undefined;
          const ours = { lease, serverClock, spending };
          if (found) {
            logger.info('chart_reused', `${labelOf(ordered)} is stored already`);
            return this.#record(entryWrite(key, found, 'adopted'), ours, found, notices, logger);
          }
          const stored = await this.#draw(ordered, ours, request, logger).catch(unlessLost);
          if (stored === 'lost') break;
          if ('code' in stored) return refused(ordered, this.#inWords(stored, ours), logger);
          const snapshot = this.#snapshotOf(ordered, request, stored);
          return this.#record(entryWrite(key, snapshot), ours, snapshot, notices, logger);
        }
        default:
          return taken satisfies never;
      }
    }
  }

  /** The chart's unit, of what steps do not keep for themselves; none for what costs nothing. */
  async #reserve(
    ordered: OrderedChart,
    request: MakeRequest,
    reading: Reading,
    dead: LeaseDocument | undefined,
  ): Promise<Claim | LibraryError> {
    const { chart } = ordered;
    const { accounts } = this.#deps;
    const found = dead && (await this.#leftBy(dead, ordered, request));
    if (found && isYoung(found, reading.readTimeMs, request)) return { ...FREE, found };
    // Too old to be an answer, it is no less in the bucket.
    const records = found ? [snapshotWrite(found)] : [];
    if (chart.foresight.kind !== 'call' || accounts.length === 0) {
      return { ...FREE, writes: records };
    }
    const paid = this.#quota.unit(chart.needs, reading);
    return 'code' in paid ? paid : { ...paid, writes: [...paid.writes, ...records] };
  }

  /** What a holder who died had stored and not recorded. */
  async #leftBy(
    { folder, claimId }: LeaseDocument,
    ordered: OrderedChart,
    request: MakeRequest,
  ): Promise<Snapshot | undefined> {
    if (folder === undefined) return undefined;
    const found = await findPicture(this.#deps.artifacts, { claimId, folder }, ordered.chart);
    return found && this.#snapshotOf(ordered, request, found);
  }

  /** From the first call to the bucket. What comes to nothing is ended here, its unit given back. */
  async #draw(
    ordered: OrderedChart,
    ours: Ours,
    request: MakeRequest,
    logger: Logger,
  ): Promise<StoredPicture | StepError> {
    const { clock } = this.#deps;
    const { lease, serverClock, spending } = ours;
    const stop = new Stopping();
    const { signal } = request;
    stop.follow(signal, 'now', () => signal.reason);
    for (const id of this.#quota.badKeys) spending?.close(id);
    const { pacing, unsure } = this.#quota;
    const paid = {
      ...{ lease, spending, serverClock, unsure, allowance: forOnDemand },
      ...(pacing && { pacing }),
    };
    const drawing = new Drawing(paid, { ...this.#deps, logger }, stop);
    const startedAt = clock.monotonic();
    const beating = lease.beat((lost) => stop.cut(lost)).catch((error) => stop.cut(error));
    let stored: StoredPicture | StepError | undefined;
    try {
      const drawn = await drawing.draw(ordered.chart);
      stored = 'code' in drawn ? drawn : await this.#store(ordered, request, lease, drawn, stop);
      if ('uri' in stored) tellStored(ordered, stored, clock.monotonic() - startedAt, logger);
      return stored;
    } finally {
      for (const id of drawing.badKeys) this.#quota.badKeys.add(id);
      lease.stop();
      stop.over();
      await beating;
      if (!stored || 'code' in stored) {
        // A put without an answer may have been made: whoever comes next is to look for it.
        const mayBeThere = stored?.code === 'GCS_WRITE_FAILED';
        const isShared = drawing.badKeys.size === 0 && isOfChart(stored);
        const failure = stored && isShared ? this.#inWords(stored, ours) : undefined;
        const end = { writes: [], refund: this.#refund(ours), failure, mayBeThere };
        await endKey(lease, clock, end).catch((error: unknown) => {
          if (!(error instanceof LeaseLost || error instanceof StoreUnavailable)) throw error;
          logger.warn('quota_not_returned', `unspent quota stays counted: ${reasonOf(error)}`);
        });
      }
    }
  }

  async #store(
    ordered: OrderedChart,
    request: MakeRequest,
    lease: StepLease,
    drawn: Drawn,
    stop: Stopping,
  ): Promise<StoredPicture | StepError> {
    const { artifacts, clock } = this.#deps;
    const at = new Date(clock.now());
    const { chart } = ordered;
    try {
      await lease.fresh(stop.now);
      const { claimId, folder = folderOf(ordered, at) } = lease.current;
      const claim = { claimId, folder };
      const { retentionMs } = this.#settings;
      const record = { facts: factsOf(ordered, request), retentionMs };
      const stored = await storePicture(artifacts, claim, ordered, drawn, at, record);
      return stored ?? chartError('GCS_WRITE_FAILED', chart, 'its object name is taken');
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return chartError('GCS_WRITE_FAILED', chart, reasonOf(error));
    }
  }

  /** One commit makes the chart known: its lease's end, the cache's entry, its place in the history. */
  async #record(
    entry: Write,
    ours: Ours,
    snapshot: Snapshot,
    notices: readonly string[],
    logger: Logger,
  ): Promise<Generated> {
    const { clock, documents } = this.#deps;
    try {
      const writes = [entry, snapshotWrite(snapshot)];
      await endKey(ours.lease, clock, { writes, refund: this.#refund(ours) });
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      // Whoever took it over renders its own; this one is paid for, and must not lie there unknown.
      logger.warn('lease_lost', `recorded without its lease: ${error.message}`);
      const { status } = await documents.commit([snapshotWrite(snapshot)]);
      if (status !== 'committed') throw new StoreUnavailable('the chart could not be recorded');
    }
    const { source } = snapshot;
    return { kind: 'chart', snapshot, source, notices };
  }

  /** Units that were reserved and not needed, also where another account paid in the end. */
  #refund({ spending }: Ours): KeyRefund {
    const { accounts } = this.#deps;
    return {
      needs: () => refundable(spending).map(paths.usage),
      of: (reading, lease) => refundOf(accounts, spending, lease, reading),
    };
  }

  #snapshotOf(ordered: OrderedChart, request: MakeRequest, picture: StoredPicture): Snapshot {
    return newSnapshot({ ...picture, ...factsOf(ordered, request) }, this.#settings.retentionMs);
  }

  /** Whoever asked on demand is told until when. */
  #inWords(error: StepError, { serverClock }: Ours): LibraryError {
    const said = libraryError(error);
    if (error.code !== 'CHART_API_LIMIT_EXCEEDED') return said;
    const details = { ...said.details, resetsAt: resetOf(serverClock.nowMs()) };
    return { ...said, code: 'RATE_LIMITED', details };
  }
}

function factsOf(
  { chart, metadata }: OrderedChart,
  { trigger, generatedBy }: MakeRequest,
): PictureFacts {
  const { chartImgSymbol, interval } = chart.request;
  return {
    ...{ chartImgSymbol, interval, triggerType: trigger },
    ...(generatedBy !== undefined && { generatedBy }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** Whoever waited would fare no better: not so where its holder ran out of time or of quota. */
function isOfChart(error: StepError | undefined): boolean {
  return error?.code !== 'CHART_API_LIMIT_EXCEEDED' && error?.details?.reason !== 'deadline';
}

/** Of one chart; `undefined`: nothing else would fare better. */
function failureOf(
  error: unknown,
  { chart }: OrderedChart,
  signal: AbortSignal,
): StepError | undefined {
  if (error instanceof DeadlinePassed && error === signal.reason) {
    return chartError('CHART_API_FAILED', chart, error.message, { reason: 'deadline' });
  }
  // Of a recording that cannot be read.
  if (error instanceof ConfigError) return chartError('CHART_API_FAILED', chart, error.message);
  return undefined;
}

/** Somebody took the key over while this process stood still: what they render will do. */
function unlessLost(error: unknown): 'lost' {
  if (error instanceof LeaseLost) return 'lost';
  throw error;
}

function refused(
  { symbol, timeframe, chart }: OrderedChart,
  error: LibraryError,
  logger: Logger,
): Generated {
  const isNamed = error.message.startsWith(chart.request.chartImgSymbol);
  const message = isNamed ? error.message : `${symbol} ${timeframe}: ${error.message}`;
  logger.warn('chart_failed', message, { error });
  return { kind: 'refused', symbol, timeframe, error };
}

function labelOf({ symbol, timeframe }: OrderedChart): string {
  return `${symbol} ${timeframe}`;
}

function tellStored(
  ordered: OrderedChart,
  { uri, bytes, width, height }: StoredPicture,
  durationMs: number,
  logger: Logger,
): void {
  const facts = { width, height, bytes, durationMs: Math.round(durationMs), uri };
  logger.info('chart_stored', `${labelOf(ordered)} is stored`, facts);
}
