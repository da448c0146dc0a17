import type { Library } from '../library/library.js';

/** What the routes are made of. */
export interface DoorDeps {
  readonly library: Library;
  /** Resolves when the store answers; rejects with `StoreUnavailable` or `ConfigError`. */
  readonly lookAtStore: () => Promise<void>;
  /** Does it when its turn comes; rejects with `OVERLOADED` when that takes too long. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Aborts when the server ends without waiting any more. */
  readonly cut: AbortSignal;
  /** For work that may take longer than anybody waits. */
  readonly timeoutMs: number;
}
