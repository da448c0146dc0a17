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
 * Renders what the claim left open, `concurrency` charts at a time, and stores each PNG as soon
 * as it is there. When the deadline stops it, the charts not yet there fail. Rejects with what
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
  const kitchen = { claimed, folder, drawing, deps: { ...deps, logger }, stop };

  for (const [chartTemplateId, error] of workload.failed) {
    tellFailure(logger, chartTemplateId, error);
  }
  const waiting = workload.renders.values();
  const worker = async () => {
    for (const chart of waiting) {
      const { chartTemplateId } = chart;
      const result = await make(chart, kitchen);
      if (result === 'left') return;
      if ('item' in result) {
        stored.set(chartTemplateId, result);
      } else {
        failed.set(chartTemplateId, result);
        tellFailure(logger, chartTemplateId, result);
      }
    }
  };
  // What stops one lane stops them all: no call may follow a lost lease.
  const lane = () =>
    worker().catch((error: unknown) => {
      stop.cut(error);
      throw error;
    });
  const lanes = Math.min(deps.settings.concurrency, workload.renders.length);
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const hasEnded = ({ chartTemplateId }: RenderableChart) =>
    stored.has(chartTemplateId) || failed.has(chartTemplateId);
  if (!workload.renders.every(hasEnded)) throw new Interrupted();

  tellQuota(logger, failed, drawing);
  return { stored, failed, calls: drawing.calls };
}

/** What every chart of a step is made with. */
interface Kitchen {
  readonly claimed: Claimed;
  readonly folder: ChartFolder;
  readonly drawing: Drawing;
  readonly deps: EngineDeps;
  readonly stop: Stopping;
}

/**
 * One chart from its first call to the bucket; `left`: it is not asked for any more, since the step
 * winds down. Rejects when the whole step has to stop.
 */
async function make(
  chart: RenderableChart,
  kitchen: Kitchen,
): Promise<StoredChart | StepError | 'left'> {
  const { stop } = kitchen;
  const { cache } = kitchen.deps;
  try {
    return await (cache ? copyOrDraw(chart, cache, kitchen) : drawAndStore(chart, kitchen));
  } catch (error) {
    if (stop.soon.aborted && !stop.now.aborted && error === stop.soon.reason) return 'left';
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
}

async function drawAndStore(
  chart: RenderableChart,
  { claimed: { lease }, folder, drawing, deps, stop }: Kitchen,
): Promise<StoredChart | StepError> {
  const { clock, artifacts, logger } = deps;
  const startedAt = clock.monotonic();
  const drawn = await drawing.draw(chart);
  if ('code' in drawn) return drawn;
  const generatedAt = new Date(clock.now());
  await lease.fresh(stop.now);
  const { png, size, account } = drawn;
  const upload = storeChart(artifacts, folder, { chart, png, size, generatedAt });
  const stored = await inTime(upload, stop.now, clock);
  if (!stored) return chartError('GCS_WRITE_FAILED', chart, 'its object names are taken');
  tellSize(logger, chart, drawn);
  const { chartTemplateId } = chart;
  logger.info('chart_stored', `${chartTemplateId} is stored`, {
    chartTemplateId,
    ...size,
    bytes: png.length,
    durationMs: Math.round(clock.monotonic() - startedAt),
    objectName: stored.name,
    ...(account && { accountId: account.id }),
  });
  return stored;
}

/** What the cache held before the claim, else what another worker is rendering, else a call. */
async function copyOrDraw(
  chart: RenderableChart,
  cache: ChartCache,
  kitchen: Kitchen,
): Promise<StoredChart | StepError> {
  const known = kitchen.claimed.workload.cached.get(chart.chartTemplateId);
  for (let picture = known; ; ) {
    const copy = picture && (await copyPicture(chart, picture, kitchen));
    if (copy) return copy;
    const draw = () => drawAndStore(chart, kitchen);
    const request = { step: kitchen.folder, gone: picture, signal: kitchen.stop.soon };
    const result = await cache.once(chart, request, draw);
    if (!('picture' in result)) return result;
    picture = result.picture;
  }
}

/** `undefined`: the picture is no longer there. */
async function copyPicture(
  chart: RenderableChart,
  picture: CachedPicture,
  { claimed, folder, deps, stop }: Kitchen,
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
