import { type Answer, answerOfAll } from '../../src/cloud-event/answers.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { StoreUnavailable } from '../../src/failures.js';
import { Logger } from '../../src/log/logger.js';
import { doRun, type WorkContext } from '../../src/worker/do-run.js';
import { sweep } from '../../src/worker/sweep.js';
import type { Worker } from '../../src/worker/worker.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';
import { FakeProvider } from './fake-provider.js';
import { Ports, type Servers } from './ports.js';
import { Promises } from './promises.js';
import type { Scenery } from './scenery.js';
import { Process, VirtualTime } from './virtual-time.js';
import type { Weather } from './weather.js';

export const LEASE_TTL_MS = 90_000;
/** From SIGTERM: when what is under way is cut, and when the process is gone. */
const CUT_AFTER_MS = 5_000;
const GONE_AFTER_MS = 8_500;

/** What became of a delivery. */
export type Told = { readonly answer: Answer; readonly outcomes: readonly StepOutcome[] } | 'died';

/** Whether it is over, as far as the one who delivers can tell. */
export function isAnswered(told: Told): boolean {
  return told !== 'died' && told.answer === 204;
}

/** The servers, the time, and the instances that work in it. */
export class World {
  readonly time: VirtualTime;
  readonly documents: MemoryDocumentStore;
  readonly promises: Promises;
  readonly servers: Servers;
  readonly provider: FakeProvider;
  readonly scenery: Scenery;
  readonly random: () => number;

  constructor(
    scenery: Scenery,
    weather: Weather,
    random: () => number,
    trace?: (line: string) => void,
  ) {
    const time = new VirtualTime(scenery.startMs);
    const documents = new MemoryDocumentStore(() => Math.floor(time.nowMs));
    const artifacts = new MemoryArtifactStore('a-bucket');
    const payers = scenery.accounts.map(({ id, apiKey, dailyLimit }) => ({
      id,
      apiKey,
      limit: dailyLimit,
    }));
    const allowed = payers.map(
      ({ id, apiKey, limit }) => [apiKey, scenery.stricter?.[id] ?? limit] as const,
    );
    const provider = new FakeProvider(new Map(allowed));
    const { steps } = scenery;
    const promises = new Promises({ time, documents, artifacts, provider, payers, steps });
    const stamped = trace && ((line: string) => trace(`${time.stamp}: ${line}`));
    const servers = { time, weather, documents, artifacts, provider, promises, calls: 0 };
    this.time = time;
    this.documents = documents;
    this.provider = provider;
    this.promises = promises;
    this.scenery = scenery;
    this.random = random;
    this.servers = { ...servers, trace: stamped };
    const puts = Object.entries(scenery.documents);
    documents.commitNow(puts.map(([path, data]) => ({ kind: 'put', path, data })));
    for (const { id, apiKey } of payers) {
      const { usageToday = 0, windowStart } = documents.dataOf(paths.usage(id)) ?? {};
      const windowMs = Date.parse(String(windowStart));
      for (let n = 0; n < Number(usageToday); n++) provider.count(apiKey, windowMs);
    }
  }

  /** A new instance of the function; `offsetMs`: how wrong its clock is. */
  boot(name: string, offsetMs = 0, timeoutMs = this.scenery.timeoutMs): Instance {
    const process = new Process(name);
    process.offsetMs = offsetMs;
    return new Instance(this, process, timeoutMs);
  }
}

/** The real worker, in a process that can die. */
export class Instance {
  readonly process: Process;
  readonly #world: World;
  readonly #worker: Worker;
  readonly #windDown = new AbortController();
  readonly #cut = new AbortController();
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  /** Whether an event is being worked on, or SIGTERM has come. */
  isBusy = false;

  constructor(world: World, process: Process, timeoutMs: number) {
    const { trace } = world.servers;
    this.#world = world;
    this.process = process;
    this.#timeoutMs = timeoutMs;
    this.#logger = new Logger(({ event, message }) =>
      trace?.(`      ${process.name} ${event}: ${message}`),
    );
    const { documents, artifacts, provider } = new Ports(world.servers, process);
    const templates = { find: async () => undefined };
    const ownerIsGone = () => false;
    const clock = world.time.clockOf(process, world.random);
    const engineDeps = (context: Pick<EngineDeps, 'logger' | 'signal' | 'windDown'>) => ({
      documents,
      artifacts,
      provider,
      templates,
      ownerIsGone,
      clock,
      ...context,
      accounts: world.scenery.accounts,
      owner: { host: process.name, pid: 1, started: '0' },
      settings: {
        concurrency: world.scenery.concurrency,
        timeoutMs,
        leaseTtlMs: LEASE_TTL_MS,
        timezone: 'Etc/UTC',
        chartsApiMode: 'real',
        isLive: true,
      },
    });
    this.#worker = {
      ...{ documents, artifacts, templates, ownerIsGone, engineDeps },
      placeOf: (path) => path,
      close: async () => undefined,
    };
  }

  deliver(runId: string, eventId: string): Promise<Told> {
    return this.#alive(async (context) => {
      const outcomes = await doRun({ runId, eventId }, this.#worker, context);
      return { answer: answerOfAll(outcomes), outcomes };
    });
  }

  sweep(): Promise<Told> {
    return this.#alive(async (context) => {
      const { outcomes, complete } = await sweep(this.#worker, context);
      return { answer: complete ? 204 : 503, outcomes };
    });
  }

  /** SIGTERM. */
  end(): void {
    const { time } = this.#world;
    if (!this.isBusy) {
      this.process.die();
      return;
    }
    this.#windDown.abort();
    time.in(CUT_AFTER_MS, () => this.#cut.abort(), this.process);
    time.in(GONE_AFTER_MS, () => this.process.die(), this.process);
  }

  get isEnding(): boolean {
    return this.#windDown.signal.aborted;
  }

  #alive(work: (context: WorkContext) => Promise<Exclude<Told, 'died'>>): Promise<Told> {
    this.isBusy = true;
    const {
      promises,
      servers: { trace },
    } = this.#world;
    const untilMs = this.#worker.engineDeps(this.#context(0)).clock.monotonic() + this.#timeoutMs;
    return new Promise((resolve) => {
      this.process.onDeath(() => resolve('died'));
      work(this.#context(untilMs))
        .catch((error: unknown): Told => {
          // Only a sweep rejects, and only with this.
          if (!(error instanceof StoreUnavailable)) {
            promises.violations.push(`a bug: ${error instanceof Error ? error.stack : error}`);
          }
          return { answer: 500, outcomes: [] };
        })
        .then((told) => {
          if (told !== 'died') {
            const ends = told.outcomes.map(({ reason }) => reason).join(', ');
            trace?.(`      ${this.process.name} answers ${told.answer}: ${ends}`);
            promises.told(this.process, told.outcomes);
          }
          this.isBusy = false;
          if (this.isEnding) this.process.die();
          resolve(told);
        });
    });
  }

  #context(untilMs: number): WorkContext {
    const signals = { signal: this.#cut.signal, windDown: this.#windDown.signal };
    return { logger: this.#logger, ...signals, timeoutMs: this.#timeoutMs, untilMs };
  }
}
