import type { StepOutcome } from '../engine/outcome.js';

/**
 * What the trigger is told, as an HTTP status. 204: acknowledged, whatever came of it is written.
 * Anything else is delivered again, after 10 to 600 seconds, for 24 hours.
 */
export type Answer = 204 | 500 | 503;

/** The one place where an outcome becomes an answer. */
export function answerOf(outcome: StepOutcome): Answer {
  switch (outcome.reason) {
    case 'succeeded':
    case 'failed':
    case 'already-final':
    case 'all-succeeded':
    case 'not-addressable':
    case 'blocked':
    case 'not-ready':
    case 'unleased':
    case 'lease-lost':
      return 204;
    case 'nothing-eligible':
    case 'held':
      // This very event was delivered before, and its worker may be dead: the queue is the timer.
      return outcome.isAtWork ? 503 : 204;
    case 'planned': // The time was over, and a step is left.
    case 'contended':
    case 'interrupted':
      return 503;
    case 'misconfigured':
    case 'infrastructure-failed':
      return 500;
    default:
      return outcome satisfies never;
  }
}

/** Of all that one event led to. */
export function answerOfAll(outcomes: readonly StepOutcome[]): Answer {
  return outcomes.map(answerOf).reduce((worst, answer) => (answer > worst ? answer : worst), 204);
}
