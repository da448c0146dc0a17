import type { Scenario } from './world.js';

/** Two workers, one chart, and nothing goes wrong. */
export const CALM: Scenario = {
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
