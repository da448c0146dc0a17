import { setMaxListeners } from 'node:events';

/** The step's deadline, as a reason to stop. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/** The process was asked to end, as a reason to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** How a running step is stopped: in two degrees, each with its reason. */
export class Stopping {
  readonly #now = new AbortController();
  readonly #soon = new AbortController();
  readonly #over = new AbortController();

  constructor() {
    // Every lane listens, and Node would warn of a leak from the eleventh on.
    setMaxListeners(0, this.#now.signal, this.#soon.signal);
  }

  /** Aborted: what is under way is cut. */
  get now(): AbortSignal {
    return this.#now.signal;
  }

  /** Aborted, at the latest with `now`: no call is begun and nothing is waited for. */
  get soon(): AbortSignal {
    return this.#soon.signal;
  }

  cut(reason: unknown): void {
    this.#now.abort(reason);
    this.#soon.abort(reason);
  }

  /** Cuts, or only winds down, once `signal` aborts, with a reason made then. */
  follow(signal: AbortSignal, degree: 'now' | 'soon', reason: () => unknown): void {
    // One signal may end the work on dozens of charts.
    setMaxListeners(0, signal);
    const stop = () => (degree === 'now' ? this.cut(reason()) : this.#soon.abort(reason()));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: this.#over.signal });
  }

  /** Follows nothing any more: a process that does many steps would keep them all. */
  over(): void {
    this.#over.abort();
  }
}
