import type { StepOutcome } from '../../src/engine/outcome.js';

const identity = { runId: '20251221-120000_BTCUSDT_demo', stepId: 'charts:1H:a' };
const { runId } = identity;
const facts = {
  ...identity,
  attempt: 1,
  minImages: 1,
  manifestUri: null,
  items: [],
  failures: [],
  durationMs: 1,
};
const error = { code: 'CHART_API_FAILED', message: 'no' } as const;
const idle = { ...identity, status: 'RUNNING', message: 'no' };

/** One of each kind; the type refuses a forgotten one. */
export const ONE_OF_EACH: { readonly [Reason in StepOutcome['reason']]: StepOutcome } = {
  succeeded: { reason: 'succeeded', ...facts },
  failed: { reason: 'failed', ...facts, error },
  'already-final': {
    reason: 'already-final',
    ...identity,
    status: 'FAILED',
    errorCode: error.code,
    manifestUri: null,
  },
  'all-succeeded': { reason: 'all-succeeded', runId },
  'not-addressable': { reason: 'not-addressable', ...identity, message: 'no' },
  'nothing-eligible': { reason: 'nothing-eligible', runId, isAtWork: false, message: 'no' },
  blocked: { reason: 'blocked', ...idle },
  'not-ready': { reason: 'not-ready', ...idle },
  held: { reason: 'held', ...idle, isAtWork: false },
  contended: { reason: 'contended', ...idle },
  unleased: { reason: 'unleased', ...idle },
  'lease-lost': { reason: 'lease-lost', ...idle, attempt: 1 },
  interrupted: { reason: 'interrupted', ...identity, claimed: true, attempt: 1, message: 'no' },
  planned: {
    reason: 'planned',
    ...identity,
    status: 'SUCCEEDED',
    minImages: 1,
    plan: [],
    calls: [],
    error: null,
  },
  misconfigured: { reason: 'misconfigured', message: 'no' },
  'infrastructure-failed': {
    reason: 'infrastructure-failed',
    ...identity,
    message: 'no',
    cause: undefined,
  },
};

/** A redelivery of the event that is at work. */
export const AT_WORK: readonly StepOutcome[] = [
  { reason: 'held', ...idle, isAtWork: true },
  { reason: 'nothing-eligible', runId, isAtWork: true, message: 'no' },
];
