import { FINAL_IS_REACHABLE } from './explore.js';
import type { Flaw } from './protocol.js';
import { PROMISES, type Scenario, type Troubles } from './world.js';

const CALM: Scenario = {
  workers: 2,
  charts: 1,
  limit: 2,
  crashes: 0,
  pauses: 0,
  lostReplies: 0,
  interruptions: 0,
  deadlines: 0,
  stumbles: 0,
  midnights: 0,
  foreignCalls: 0,
  foreignWrites: 0,
  resets: 0,
  replays: 0,
};

/** Each is explored to its end; together they are what a step may have to live through. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'three workers, one dies, one sleeps': { ...CALM, workers: 3, crashes: 1, pauses: 1 },
  'three workers, a late answer, a sleeper': { ...CALM, workers: 3, lostReplies: 1, pauses: 1 },
  'given back while answers are late': {
    ...CALM,
    charts: 2,
    limit: 3,
    lostReplies: 1,
    interruptions: 1,
    pauses: 1,
  },
  'one death after the other': { ...CALM, limit: 3, crashes: 2, pauses: 2 },
  'two late answers, a foreign write, a sleeper': {
    ...CALM,
    limit: 1,
    lostReplies: 2,
    foreignWrites: 1,
    pauses: 1,
  },
  'units left over': { ...CALM, charts: 2, lostReplies: 2, deadlines: 1, interruptions: 1 },
  'midnight, calls in vain, a shared account': {
    ...CALM,
    charts: 2,
    lostReplies: 1,
    deadlines: 1,
    stumbles: 1,
    midnights: 1,
    foreignCalls: 1,
  },
  'reset and replayed while a holder sleeps': { ...CALM, resets: 1, replays: 1, pauses: 1 },
};

/** A sleeper between its check and its send: no protocol can call a request back. */
export const SLEEPY: Scenario = { ...CALM, crashes: 1, pauses: 2 };

export interface FlawCase {
  readonly flaw: Flaw;
  /** The promise that this flaw endangers, and the trouble without which it does no harm. */
  readonly breaks: string;
  readonly needs: keyof Troubles;
  readonly scenario: Scenario;
}

export const FLAWS: readonly FlawCase[] = [
  {
    flaw: 'no read-back',
    breaks: PROMISES.counted,
    needs: 'lostReplies',
    scenario: { ...CALM, lostReplies: 1 },
  },
  {
    flaw: 'reclaim by time without a token',
    breaks: PROMISES.paidOnce,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'status before lease',
    breaks: FINAL_IS_REACHABLE,
    needs: 'crashes',
    scenario: { ...CALM, crashes: 1 },
  },
  {
    flaw: 'unfenced settle',
    breaks: PROMISES.manifest,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'unfenced settle',
    breaks: PROMISES.oneSettle,
    needs: 'lostReplies',
    scenario: { ...CALM, lostReplies: 1 },
  },
  {
    flaw: 'lease re-read before the generation',
    breaks: PROMISES.manifest,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'unconditional manifest',
    breaks: PROMISES.manifest,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'refund without its guard',
    breaks: PROMISES.counted,
    needs: 'lostReplies',
    scenario: { ...CALM, charts: 2, limit: 3, lostReplies: 1, deadlines: 1, foreignCalls: 1 },
  },
  {
    flaw: 'refund that the lease does not record',
    breaks: PROMISES.counted,
    needs: 'lostReplies',
    scenario: { ...CALM, charts: 2, lostReplies: 1, deadlines: 1, interruptions: 1 },
  },
  {
    flaw: 'refund of what the dead reserved',
    breaks: PROMISES.counted,
    needs: 'crashes',
    scenario: { ...CALM, crashes: 1 },
  },
  {
    flaw: 'refund across midnight',
    breaks: PROMISES.counted,
    needs: 'midnights',
    scenario: { ...CALM, midnights: 1, foreignCalls: 1, interruptions: 1 },
  },
  {
    flaw: 'no day check',
    breaks: PROMISES.counted,
    needs: 'midnights',
    scenario: { ...CALM, midnights: 1 },
  },
  {
    flaw: 'ledger by increment',
    breaks: PROMISES.limit,
    needs: 'foreignCalls',
    scenario: { ...CALM, limit: 1, foreignCalls: 1 },
  },
  {
    flaw: 'calls after the ttl',
    breaks: PROMISES.paidOnce,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'puts after the ttl',
    breaks: PROMISES.paidOnce,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
  {
    flaw: 'listing of an earlier try',
    breaks: PROMISES.paidOnce,
    needs: 'pauses',
    scenario: { ...CALM, pauses: 1 },
  },
];
