import type { Clock } from '../clock.js';
import type { Account } from '../contracts/documents.js';
import type { Logger } from '../log/logger.js';

/** The limit that holds a chart back. */
export type Limit =
  /** The account may not send again yet; `all`: nor may any other that could pay. */
  | { readonly reason: 'pace'; readonly account: Account; readonly all: boolean }
  /** Nobody can say which day a call would be counted on. */
  | { readonly reason: 'midnight' }
  /** The provider stumbled, and said when to come again. */
  | { readonly reason: 'retry-after' }
  /** The provider stumbled, and did not. */
  | { readonly reason: 'backoff' };

/** The one place where a chart waits for a limit, and says so: people at a terminal see which. */
export class Waiting {
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Ends early, without rejecting, when `signal` aborts. */
  async on(limit: Limit, waitMs: number, signal: AbortSignal): Promise<void> {
    const words = wordsFor(limit);
    const ms = Math.ceil(waitMs);
    this.#logger.debug('chart_waiting', `waiting ${ms} ms: ${words}`, {
      reason: limit.reason,
      limit: words,
      waitMs: ms,
      ...(limit.reason === 'pace' && { accountId: limit.account.id }),
    });
    await this.#clock.sleep(waitMs, signal);
  }
}

function wordsFor(limit: Limit): string {
  switch (limit.reason) {
    case 'pace':
      return limit.all ? 'pace of all accounts' : `pace of account ${limit.account.id}`;
    case 'midnight':
      return '00:00 UTC, when quota is counted anew';
    case 'retry-after':
      return 'Retry-After of Chart-IMG';
    case 'backoff':
      return 'a pause before the next try';
    default:
      return limit satisfies never;
  }
}
