import { FINAL_IS_REACHABLE } from './explore.js';
import { CALM } from './scenarios.js';
import { PROMISES, type Scenario, type Troubles } from './world.js';

/** What may be wrong with a worker, to see that the protocol needs it right. */
export type Flaw =
  /** Believes the answer: silence is a yes, a refusal is a loss. */
  | 'no read-back'
  /** Whoever takes over leaves the token as it was. */
  | 'reclaim by time without a token'
  /** Claims in two commits: first the status, then lease and units. */
  | 'status before lease'
  /** The step's end is written whatever run and lease say by then. */
  | 'unfenced settle'
  | 'lease re-read before the generation'
  | 'unconditional manifest'
  /** Guarded by the ledger's document alone, not by the lease. */
  | 'refund without its guard'
  /** Guarded by the lease, which is not told what was given back. */
  | 'refund that the lease does not record'
  /** Whoever takes over gives back what was reserved for the dead. */
  | 'refund of what the dead reserved'
  | 'refund across midnight'
  /** Sends what was reserved yesterday. */
  | 'no day check'
  /** Writes the count it read, and more, whoever wrote another since. */
  | 'ledger without its version'
  /** Reserves by incrementing: adds to what is there, not to what it read. */
  | 'ledger by increment'
  | 'calls after the ttl'
  | 'puts after the ttl'
  /** A claim that was refused does not list again. */
  | 'listing of an earlier try'
  /** Adopts by the folder alone, not by the claim. */
  | 'charts of any claim'
  /** Settles what is its own by the lease, without a look at the status. */
  | 'settle over a reset';

export interface FlawCase {
  readonly flaw: Flaw;
  /** The promise that this flaw endangers, and the trouble without which it does no harm. */
  readonly breaks: string;
  readonly needs: keyof Troubles;
  readonly scenario: Scenario;
}

function caught(
  flaw: Flaw,
  breaks: string,
  needs: keyof Troubles,
  more: Partial<Scenario> = {},
): FlawCase {
  return { flaw, breaks, needs, scenario: { ...CALM, [needs]: 1, ...more } };
}

const { oneSettle, manifest, counted, limit, paidOnce, anew, ownCharts } = PROMISES;
const SURPLUS = { charts: 2, limit: 3, deadlines: 1 };

export const FLAWS: readonly FlawCase[] = [
  caught('no read-back', counted, 'lostReplies'),
  caught('reclaim by time without a token', paidOnce, 'pauses'),
  caught('status before lease', FINAL_IS_REACHABLE, 'crashes'),
  caught('unfenced settle', manifest, 'pauses'),
  caught('unfenced settle', oneSettle, 'lostReplies'),
  caught('settle over a reset', anew, 'resets'),
  caught('lease re-read before the generation', manifest, 'pauses'),
  caught('unconditional manifest', manifest, 'pauses'),
  caught('refund without its guard', counted, 'lostReplies', { ...SURPLUS, foreignCalls: 1 }),
  caught('refund that the lease does not record', counted, 'lostReplies', SURPLUS),
  caught('refund of what the dead reserved', counted, 'crashes'),
  caught('refund across midnight', counted, 'midnights', { foreignCalls: 1, interruptions: 1 }),
  caught('no day check', counted, 'midnights'),
  caught('ledger without its version', counted, 'foreignCalls'),
  caught('ledger by increment', limit, 'foreignCalls', { limit: 1 }),
  caught('calls after the ttl', paidOnce, 'pauses'),
  caught('puts after the ttl', paidOnce, 'pauses'),
  caught('listing of an earlier try', paidOnce, 'pauses'),
  caught('charts of any claim', ownCharts, 'resets'),
];
