import { parseFunctionConfig } from '../config/function-config.js';
import { parseOutputConfig } from '../config/output-config.js';
import type { WorkerConfig } from '../config/worker-config.js';
import { ConfigError, reasonOf } from '../failures.js';
import { atLeast, jsonSink } from '../log/json-sink.js';
import { Logger } from '../log/logger.js';
import { type Redactor, redactorFor } from '../log/redact.js';
import { timeFor } from '../worker/do-run.js';
import { type SweepResult, sweep } from '../worker/sweep.js';
import { openWorker, type Worker } from '../worker/worker.js';
import { type Delivery, deliver, tellFailure } from './deliver.js';
import { Ending } from './ending.js';
import type { EventMessage } from './flow-run-event.js';

/** The world of one instance; nothing in here reads a global. */
export interface FunctionWorld {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where log lines go. */
  readonly write: (line: string) => void;
}

/** One instance of the function: its configuration is read once, its clients are opened once. */
export class FunctionInstance {
  readonly ending = new Ending();
  readonly logger: Logger;
  readonly #config: Promise<WorkerConfig>;
  #redact: Redactor = (text) => text;
  #worker: Promise<Worker> | undefined;

  constructor({ env, cwd, write }: FunctionWorld) {
    const sink = jsonSink({
      write,
      redact: (text) => this.#redact(text),
      env: env.TDA_ENV || env.ENV || 'local',
      now: () => new Date(),
    });
    this.logger = new Logger(atLeast(severityIn(env), sink));
    this.#config = this.#read(env, cwd);
    // Each event is told of it again; without this one Node would end the process.
    this.#config.catch(() => undefined);
  }

  async deliver(message: EventMessage): Promise<Delivery> {
    return deliver(message, () => this.#open(), await this.#context());
  }

  /** Rejects with `ConfigError` or `StoreUnavailable`. */
  async sweep(): Promise<SweepResult> {
    const result = await sweep(await this.#open(), await this.#context());
    for (const outcome of result.outcomes) tellFailure(outcome, this.logger);
    return result;
  }

  async #read(env: NodeJS.ProcessEnv, cwd: string): Promise<WorkerConfig> {
    try {
      const config = await parseFunctionConfig(env, cwd);
      this.#redact = redactorFor(config.accounts.map(({ apiKey }) => apiKey));
      for (const warning of config.warnings) this.logger.warn('config_warning', warning);
      return config;
    } catch (error) {
      const message = reasonOf(error);
      this.logger.error('config_error', message, { error: { code: 'CONFIG_ERROR', message } });
      throw error;
    }
  }

  /** What could not be opened is tried again by the next event. */
  #open(): Promise<Worker> {
    this.#worker ??= this.#config
      .then((config) => openWorker(config, 'write', this.logger))
      .catch((error: unknown) => {
        this.#worker = undefined;
        throw error;
      });
    return this.#worker;
  }

  async #context() {
    const timeoutMs = await this.#config.then(
      (config) => config.timeoutMs,
      () => 0,
    );
    const { logger, ending } = this;
    const { signal, windDown } = ending;
    return { logger, signal, windDown, ...timeFor(timeoutMs) };
  }
}

function severityIn(env: NodeJS.ProcessEnv) {
  try {
    return parseOutputConfig({}, env).severity;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return 'INFO';
  }
}
