import { parseWorkerConfig } from '../../src/config/run-config.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import { parseLease } from '../../src/engine/lease-document.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { type EventName, Logger } from '../../src/log/logger.js';
import { doRun, timeFor, type WorkContext } from '../../src/worker/do-run.js';
import { openWorker, type Worker } from '../../src/worker/worker.js';
import { emptyFolder } from './cli-run.js';

type Cleanup = (undo: () => Promise<void>) => void;

export const RUN_ID = '20251221-120000_BTCUSDT_steps';

/** A step of one chart, READY. */
export function chartStep(changes: JsonObject = {}): JsonObject {
  return {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { requests: [{ chartTemplateId: 'ctpl_price_ma1226_vol_v1' }] },
    outputs: {},
    ...changes,
  };
}

/** A worker on a workspace, in this process, and the run that it is to do. */
export class WorkerScene {
  readonly worker: Worker;
  /** Names of the events that were logged. */
  readonly log: EventName[] = [];
  readonly logger = new Logger(({ event }) => this.log.push(event));

  private constructor(worker: Worker) {
    this.worker = worker;
  }

  static async open(
    onTestFinished: Cleanup,
    steps: Readonly<Record<string, JsonObject>>,
  ): Promise<WorkerScene> {
    const config = await parseWorkerConfig({}, {}, await emptyFolder(onTestFinished));
    const worker = await openWorker(config, 'write', new Logger(() => undefined));
    onTestFinished(() => worker.close());
    const scene = new WorkerScene(worker);
    await scene.put({
      schemaVersion: 1,
      runId: RUN_ID,
      status: 'RUNNING',
      scope: { symbol: 'BTCUSDT' },
      steps,
    });
    return scene;
  }

  async put(run: JsonObject): Promise<void> {
    const write = { kind: 'put', path: paths.flowRun(RUN_ID), data: run } as const;
    await this.worker.documents.commit([write]);
  }

  /** `changes`: what the engine works with instead of the worker's own. */
  doRun(
    context: Partial<WorkContext> = {},
    changes: Partial<EngineDeps> = {},
    request: { readonly eventId?: string; readonly isLater?: boolean } = {},
  ): Promise<StepOutcome[]> {
    const worker: Worker = {
      ...this.worker,
      engineDeps: (given) => ({ ...this.worker.engineDeps(given), ...changes }),
    };
    return doRun({ runId: RUN_ID, ...request }, worker, {
      logger: this.logger,
      signal: new AbortController().signal,
      ...timeFor(540_000),
      ...context,
    });
  }

  async run(): Promise<JsonObject & { readonly steps: Record<string, JsonObject> }> {
    const reading = await this.worker.documents.read([paths.flowRun(RUN_ID)]);
    return reading.get(paths.flowRun(RUN_ID))?.data as Awaited<ReturnType<WorkerScene['run']>>;
  }

  /** Of each step. */
  async statuses(): Promise<Record<string, unknown>> {
    const { steps } = await this.run();
    return Object.fromEntries(Object.entries(steps).map(([id, { status }]) => [id, status]));
  }

  async lease(stepId: string) {
    const path = paths.lease(RUN_ID, stepId);
    return parseLease((await this.worker.documents.read([path])).get(path));
  }
}

/** What each outcome says, and of which step. */
export function told(outcomes: readonly StepOutcome[]): string[] {
  return outcomes.map((outcome) =>
    'stepId' in outcome ? `${outcome.reason} ${outcome.stepId}` : outcome.reason,
  );
}
