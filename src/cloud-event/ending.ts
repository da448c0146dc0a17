/** Cloud Run sends SIGKILL 10 s after SIGTERM. */
const CUT_AFTER_MS = 5_000;
const GONE_AFTER_MS = 8_500;

/** How an instance that is asked to end brings its work to an end, in time. */
export class Ending {
  readonly #windDown = new AbortController();
  readonly #cut = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  /** No chart is begun any more, what is under way may finish. */
  get windDown(): AbortSignal {
    return this.#windDown.signal;
  }

  /** What has not finished is cut, and given back. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Work that the end waits for. */
  async with<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Resolves when nothing is under way any more, or when the time for it is over. */
  async come(): Promise<void> {
    this.#windDown.abort();
    const timers = [setTimeout(() => this.#cut.abort(), CUT_AFTER_MS)];
    const timeIsOver = new Promise<void>((resolve) => {
      timers.push(setTimeout(resolve, GONE_AFTER_MS));
    });
    await Promise.race([this.#settled(), timeIsOver]);
    for (const timer of timers) clearTimeout(timer);
  }

  async #settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }
}
