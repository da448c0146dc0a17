import { type Answer, answerOfAll } from '../../src/cloud-event/answers.js';
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
/** `CHARTS_TIMEOUT_SECONDS` of the function. */
const TIMEOUT_MS = 500_000;
/** From SIGTERM: when what is under way is cut, and when the process is gone. */
const CUT_AFTER_MS = 5_000;
const GONE_AFTER_MS = 8_500;

/** What became of a delivery: its answer, or none. */
export type Told = Answer | 'died';

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
  }

  /** A new instance of the function; `offsetMs`: how wrong its clock is. */
  boot(name: string, offsetMs = 0): Instance {
    const process = new Process(name);
    process.offsetMs = offsetMs;
    return new Instance(this, process);
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
  /** Whether an event is being worked on, or SIGTERM has come. */
  isBusy = false;

  constructor(world: World, process: Process) {
    const { trace } = world.servers;
    this.#world = world;
    this.process = process;
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
        concurrency: 10,
        timeoutMs: TIMEOUT_MS,
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
      this.#tell(outcomes);
      return answerOfAll(outcomes);
    });
  }

  sweep(): Promise<Told> {
    return this.#alive(async (context) => {
      const { outcomes, complete } = await sweep(this.#worker, context);
      this.#tell(outcomes);
      return complete ? 204 : 503;
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

  #alive(work: (context: WorkContext) => Promise<Answer>): Promise<Told> {
    this.isBusy = true;
    const { promises } = this.#world;
    const untilMs = this.#worker.engineDeps(this.#context(0)).clock.monotonic() + TIMEOUT_MS;
    return new Promise((resolve) => {
      this.process.onDeath(() => resolve('died'));
      work(this.#context(untilMs))
        .catch((error: unknown): Answer => {
          // Only a sweep rejects, and only with this.
          if (!(error instanceof StoreUnavailable)) {
            promises.violations.push(`a bug: ${error instanceof Error ? error.stack : error}`);
          }
          return 500;
        })
        .then((answer) => {
          this.isBusy = false;
          if (this.isEnding) this.process.die();
          resolve(answer);
        });
    });
  }

  #context(untilMs: number): WorkContext {
    const signals = { signal: this.#cut.signal, windDown: this.#windDown.signal };
    return { logger: this.#logger, ...signals, timeoutMs: TIMEOUT_MS, untilMs };
  }

  #tell(outcomes: readonly StepOutcome[]): void {
    const { trace } = this.#world.servers;
    for (const outcome of outcomes) trace?.(`      ${this.process.name} ends: ${outcome.reason}`);
  }
}
