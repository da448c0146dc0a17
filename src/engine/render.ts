import type { Clock } from '../clock.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Logger } from '../log/logger.js';
import type { CachedPicture, ChartCache } from './chart-cache.js';
import type { Claimed } from './claim.js';
import type { EngineDeps } from './deps.js';
import { chartError, Drawing, type Drawn } from './drawing.js';
import type { StepError } from './outcome.js';
import type { RenderableChart, StepInputs } from './plan.js';
import { DeadlinePassed, Interrupted, type Stopping } from './stopping.js';
import { type ChartFolder, type StoredChart, storeChart, storeCopy } from './stored-chart.js';

/** A chart that was paid for is worth a moment, though not an instance's last ten seconds. */
const UPLOAD_GRACE_MS = 2_000;

/** Every requested chart has its end: stored, or failed with a reason. */
export interface Rendered {
  readonly stored: ReadonlyMap<string, StoredChart>;
  readonly failed: ReadonlyMap<string, StepError>;
  readonly calls: { ok: number; failed: number };
}

/**
 * Renders what the claim left open, `concurrency` charts at a time, and stores each PNG while the
 * next is drawn. When the deadline stops it, the charts not yet there fail. Rejects with what
 * else stopped it, or with `LeaseLost` or a bug, once no lane is at work any more; while it winds
 * down, only if a chart is left that was not begun.
 */
export async function render(
  claimed: Claimed,
  inputs: StepInputs,
  deps: EngineDeps,
  stop: Stopping,
): Promise<Rendered> {
  const { workload, situation, lease } = claimed;
  const stored = new Map(workload.stored);
  const failed = new Map(workload.failed);
  const { stepId } = situation.selected;
  const { objectRoot: root } = deps.settings;
  const step = { runId: situation.run.runId, stepId, root };
  const folder = { ...step, claimId: lease.current.claimId, inputs };
  const logger = deps.logger.with({ stepId });
  const drawing = new Drawing(claimed, { ...deps, logger }, stop);

  for (const [chartTemplateId, error] of workload.failed) {
    tellFailure(logger, chartTemplateId, error);
  }
  const making: Making = { drawing, claimed, folder, deps: { ...deps, logger }, stop };
  const end = ({ chartTemplateId }: RenderableChart, result: StoredChart | StepError) => {
    if ('item' in result) {
      stored.set(chartTemplateId, result);
    } else {
      failed.set(chartTemplateId, result);
      tellFailure(logger, chartTemplateId, result);
    }
  };
  const waiting = workload.renders.values();
  // A chart is stored while the lane's next one is drawn: waiting for the bucket took a tenth of a
  // step. Only one, so that a bucket that is slow or gone is not outrun by calls that cost quota.
  const lane = async () => {
    let storing = Promise.resolve();
    try {
      for (const chart of waiting) {
        const made = await make(chart, making);
        await storing;
        if (made === 'left') return;
        if (!('png' in made)) end(chart, made);
        else storing = store(chart, made, making).then((result) => end(chart, result));
        storing.catch((error: unknown) => stop.cut(error));
      }
      await storing;
    } catch (error) {
      // What stops one lane stops them all: no call may follow a lost lease.
      stop.cut(error);
      await storing.catch(() => undefined);
      throw error;
    }
  };
  const lanes = Math.min(deps.settings.concurrency, workload.renders.length);
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const hasEnded = ({ chartTemplateId }: RenderableChart) =>
    stored.has(chartTemplateId) || failed.has(chartTemplateId);
  if (!workload.renders.every(hasEnded)) throw new Interrupted();

  tellQuota(logger, failed, drawing);
  return { stored, failed, calls: drawing.calls };
}

/** What the charts of a step are made with. */
interface Making {
  readonly drawing: Drawing;
  readonly claimed: Claimed;
  readonly folder: ChartFolder;
  readonly deps: EngineDeps;
  readonly stop: Stopping;
}

interface Arrived extends Drawn {
  readonly generatedAt: Date;
  /** By the clock that never goes back: when the chart was begun. */
  readonly begunMs: number;
}

/**
 * A chart that has arrived, or, where there is a cache, one that is stored already. `left`: it is not
 * asked for any more, since the step winds down. Rejects when the whole step has to stop.
 */
async function make(
  chart: RenderableChart,
  making: Making,
): Promise<Arrived | StoredChart | StepError | 'left'> {
  const { stop } = making;
  const { cache } = making.deps;
  try {
    return await (cache ? copyOrDraw(chart, cache, making) : draw(chart, making));
  } catch (error) {
    const isLeft = stop.soon.aborted && !stop.now.aborted && error === stop.soon.reason;
    return isLeft ? 'left' : failureOf(chart, error, stop);
  }
}

async function draw(
  chart: RenderableChart,
  { drawing, deps: { clock } }: Making,
): Promise<Arrived | StepError> {
  const begunMs = clock.monotonic();
  const drawn = await drawing.draw(chart);
  return 'code' in drawn ? drawn : { ...drawn, generatedAt: new Date(clock.now()), begunMs };
}

/** What the cache held before the claim, else what another worker is rendering, else a call. */
async function copyOrDraw(
  chart: RenderableChart,
  cache: ChartCache,
  making: Making,
): Promise<StoredChart | StepError> {
  for (let picture = making.claimed.workload.cached.get(chart.chartTemplateId); ; ) {
    const copy = picture && (await copyPicture(chart, picture, making));
    if (copy) return copy;
    const request = { step: making.folder, gone: picture, signal: making.stop.soon };
    const result = await cache.once(chart, request, async () => {
      const drawn = await draw(chart, making);
      return 'code' in drawn ? drawn : store(chart, drawn, making);
    });
    if (!('picture' in result)) return result;
    picture = result.picture;
  }
}

/** `undefined`: the picture is no longer there. */
async function copyPicture(
  chart: RenderableChart,
  picture: CachedPicture,
  { claimed, folder, deps, stop }: Making,
): Promise<StoredChart | undefined> {
  const { artifacts, clock, logger } = deps;
  stop.soon.throwIfAborted();
  await claimed.lease.fresh(stop.now);
  const stored = await inTime(storeCopy(artifacts, folder, chart, picture), stop.now, clock);
  if (!stored) return undefined;
  const { chartTemplateId } = chart;
  const message = `${chartTemplateId} is the picture of ${picture.generatedAt}, from the cache`;
  logger.info('chart_reused', message, { chartTemplateId, objectName: stored.name });
  return stored;
}

/** Puts a chart into the bucket. Rejects when the whole step has to stop. */
async function store(
  chart: RenderableChart,
  drawn: Arrived,
  { claimed, folder, deps: { clock, artifacts, logger }, stop }: Making,
): Promise<StoredChart | StepError> {
  const { png, size, generatedAt, begunMs, account } = drawn;
  try {
    await claimed.lease.fresh(stop.now);
    const upload = storeChart(artifacts, folder, { chart, png, size, generatedAt });
    const stored = await inTime(upload, stop.now, clock);
    if (!stored) return chartError('GCS_WRITE_FAILED', chart, 'its object names are taken');
    tellSize(logger, chart, drawn);
    const { chartTemplateId } = chart;
    logger.info('chart_stored', `${chartTemplateId} is stored`, {
      chartTemplateId,
      ...size,
      bytes: png.length,
      durationMs: Math.round(clock.monotonic() - begunMs),
      objectName: stored.name,
      ...(account && { accountId: account.id }),
    });
    return stored;
  } catch (error) {
    return failureOf(chart, error, stop);
  }
}

/** What an error means for the chart alone; throws it where it stops the whole step. */
function failureOf(chart: RenderableChart, error: unknown, stop: Stopping): StepError {
  if (stop.now.aborted && error === stop.now.reason) {
    if (!(error instanceof DeadlinePassed)) throw error;
    return chartError('CHART_API_FAILED', chart, error.message, { reason: 'deadline' });
  }
  if (error instanceof ConfigError) return chartError('CHART_API_FAILED', chart, error.message);
  if (error instanceof StoreUnavailable) {
    return chartError('GCS_WRITE_FAILED', chart, reasonOf(error));
  }
  throw error;
}

/** Rejects with the signal's reason a moment after it aborted, and leaves the upload behind. */
async function inTime<T>(upload: Promise<T>, stop: AbortSignal, clock: Clock): Promise<T> {
  const ended = new AbortController();
  const tooLate = new Promise<never>((_, reject) => {
    const wait = () => clock.sleep(UPLOAD_GRACE_MS, ended.signal).then(() => reject(stop.reason));
    if (stop.aborted) void wait();
    else stop.addEventListener('abort', () => void wait(), { once: true, signal: ended.signal });
  });
  try {
    return await Promise.race([upload, tooLate]);
  } finally {
    ended.abort();
    // Whichever comes second is nobody's any more.
    upload.catch(() => undefined);
    tooLate.catch(() => undefined);
  }
}

function tellFailure(logger: Logger, chartTemplateId: string, error: StepError): void {
  logger.warn('chart_failed', `${chartTemplateId}: ${error.message}`, { chartTemplateId, error });
}

/** Only where the template says what it wants; the provider's own default is its business. */
function tellSize(logger: Logger, chart: RenderableChart, { size }: Drawn): void {
  const { width = size.width, height = size.height } = chart.template.request;
  if (width === size.width && height === size.height) return;
  const { chartTemplateId } = chart;
  const message = `${chartTemplateId} is ${size.width}×${size.height}, asked for were ${width}×${height}`;
  logger.warn('chart_size_differs', message, { chartTemplateId, ...size });
}

/** Once a step: dashboards count steps that ran dry, not charts. */
function tellQuota(
  logger: Logger,
  failed: ReadonlyMap<string, StepError>,
  { exhausted }: Drawing,
): void {
  const dry = [...failed.values()].find(({ code }) => code === 'CHART_API_LIMIT_EXCEEDED');
  if (!dry) return;
  logger.error('chart_api_limit_exceeded', dry.message, {
    error: dry,
    exhaustedAccounts: [...exhausted],
  });
}
