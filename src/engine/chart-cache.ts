import type { ObjectName } from '../artifacts/artifact-store.js';
import type { Write } from '../documents/document-store.js';
import type { StepError } from './outcome.js';
import type { RenderableChart, StepInputs } from './plan.js';
import type { StoredChart } from './stored-chart.js';

/** A picture that was rendered for the same request before, and where it stands in the bucket. */
export interface CachedPicture {
  readonly objectName: ObjectName;
  /** When it was rendered; RFC 3339. */
  readonly generatedAt: string;
  readonly sha256: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Of which step a chart is recorded. */
export interface RecordedStep {
  readonly runId: string;
  readonly stepId: string;
  readonly inputs: StepInputs;
}

/** For whom a chart is rendered once. */
export interface OnceRequest {
  readonly step: RecordedStep;
  /** What the cache said, and is no longer there. */
  readonly gone: CachedPicture | undefined;
  readonly signal: AbortSignal;
}

/**
 * What others rendered for the same requests, and who is rendering them now. Nothing in here fails
 * a chart: where it cannot be asked, the chart is rendered.
 */
export interface ChartCache {
  /** The pictures that are young enough, by template id: one read, whatever the number of charts. */
  recall(charts: readonly RenderableChart[]): Promise<ReadonlyMap<string, CachedPicture>>;
  /**
   * Renders, unless another worker does so at this moment: then its picture is waited for. Rejects
   * as `render` does, and with the signal's reason. What is rendered is known to others at once.
   */
  once(
    chart: RenderableChart,
    request: OnceRequest,
    render: () => Promise<StoredChart | StepError>,
  ): Promise<StoredChart | StepError | { readonly picture: CachedPicture }>;
  /** What records the charts that a step stored, for the commit of its end. */
  recordsOf(step: RecordedStep, charts: readonly StoredChart[]): readonly Write[];
}
