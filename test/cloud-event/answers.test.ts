import { expect, test } from 'vitest';
import { type Answer, answerOf, answerOfAll } from '../../src/cloud-event/answers.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { AT_WORK, ONE_OF_EACH } from '../support/one-of-each-outcome.js';

const EXPECTED: { readonly [Reason in StepOutcome['reason']]: Answer } = {
  succeeded: 204,
  failed: 204,
  'already-final': 204,
  'all-succeeded': 204,
  'not-addressable': 204,
  'nothing-eligible': 204,
  blocked: 204,
  'not-ready': 204,
  held: 204,
  contended: 503,
  unleased: 204,
  'lease-lost': 204,
  interrupted: 503,
  planned: 503,
  misconfigured: 500,
  'infrastructure-failed': 500,
};

test.for(Object.values(ONE_OF_EACH))('$reason', (outcome) => {
  expect(answerOf(outcome)).toBe(EXPECTED[outcome.reason]);
});

test.for(AT_WORK)('$reason by a lease of the very event that asks', (outcome) => {
  expect(answerOf(outcome)).toBe(503);
});

test('of several outcomes the one that needs a delivery more is answered', () => {
  const { succeeded, failed, planned, misconfigured } = ONE_OF_EACH;
  expect(answerOfAll([])).toBe(204);
  expect(answerOfAll([succeeded, failed])).toBe(204);
  expect(answerOfAll([planned, succeeded])).toBe(503);
  expect(answerOfAll([succeeded, misconfigured])).toBe(500);
});
