import { HttpProblem } from './problems.js';

interface TurnLimits {
  /** Requests at work at the same time. */
  readonly atOnce: number;
  /** Requests that wait for their turn. */
  readonly waiting: number;
  /** For how long each may wait. */
  readonly waitMs: number;
}

/** Lets so many requests work at the same time; further ones wait shortly, in their order. */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #queue: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #running = new Set<AbortController>();
  #working = 0;
  #cutFor: Error | undefined;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /**
   * Rejects with `OVERLOADED` where the turn does not come in time, else as the work does. Each has a
   * signal of its own: on one for all, whoever listens would gather.
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#working >= this.#limits.atOnce) await this.#wait();
    else this.#working += 1;
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      if (this.#cutFor) throw this.#cutFor;
      return await work(controller.signal);
    } finally {
      this.#running.delete(controller);
      this.#next();
    }
  }

  /** Aborts what is at work; nobody has a turn any more. */
  cut(reason: Error): void {
    this.#cutFor = reason;
    for (const controller of this.#running) controller.abort(reason);
  }

  /** Resolves once nobody is at work. */
  idle(): Promise<void> {
    if (this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The turn is handed on, so that nobody who comes meanwhile takes it. */
  #next(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#working -= 1;
    if (this.#working === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #wait(): Promise<void> {
    const { atOnce, waiting, waitMs } = this.#limits;
    const overloaded = () =>
      new HttpProblem('OVERLOADED', `${atOnce} requests are at work already; try again`, {
        retryAfterSeconds: Math.ceil(waitMs / 1_000),
      });
    if (this.#queue.length >= waiting) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(onTurn), 1);
        reject(overloaded());
      }, waitMs);
      this.#queue.push(onTurn);
    });
  }
}
