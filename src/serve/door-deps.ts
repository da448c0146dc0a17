import type { Library } from '../library/library.js';

/** What the routes are made of. */
export interface DoorDeps {
  readonly library: Library;
  /** Resolves when the store answers; rejects with `StoreUnavailable` or `ConfigError`. */
  readonly lookAtStore: () => Promise<void>;
  /**
   * Does it when its turn comes; rejects with `OVERLOADED` when that takes too long. Its signal aborts
   * when the server ends without waiting any more.
   */
  readonly inTurn: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** For work that may take longer than anybody waits. */
  readonly timeoutMs: number;
}
