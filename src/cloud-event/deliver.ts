import type { StepOutcome } from '../engine/outcome.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Logger } from '../log/logger.js';
import { doRun, type WorkContext } from '../worker/do-run.js';
import type { Worker } from '../worker/worker.js';
import { type Answer, answerOf, answerOfAll } from './answers.js';
import { type EventMessage, readEvent } from './flow-run-event.js';

export interface Delivery {
  readonly answer: Answer;
  /** Empty: the event was ignored. */
  readonly outcomes: readonly StepOutcome[];
  /** Why it was; `undefined`: it was not. */
  readonly ignored?: string;
}

/**
 * One event, from the request to the answer. `open` is asked for the worker only once it is known
 * that there may be work. Never rejects: what nobody expected is an answer, too.
 */
export async function deliver(
  message: EventMessage,
  open: () => Promise<Worker>,
  context: WorkContext,
): Promise<Delivery> {
  const since = performance.now();
  const { facts, event } = readEvent(message);
  const logger = context.logger.with({ ...facts });
  logger.info('cloud_event_received', `event ${facts.eventId ?? '-'}`);
  if ('ignored' in event) {
    logger.warn('cloud_event_ignored', `the event is ignored: ${event.ignored}`, {
      reason: event.ignored,
    });
    return { answer: 204, outcomes: [], ignored: event.ignored };
  }
  const { runId } = event;
  const inRun = logger.with({ runId });
  inRun.info('cloud_event_parsed', `flow run ${runId} was written`);
  const outcomes = await work(event, open, { ...context, logger: inRun });
  const answer = answerOfAll(outcomes);
  const last = outcomes.at(-1) as StepOutcome;
  if (outcomes.length === 1 && answerOf(last) === 204 && !wasWorkedOn(last)) {
    inRun.info('cloud_event_noop', wordsOf(last), { reason: last.reason });
  }
  inRun.info('cloud_event_finished', `answered ${answer}`, {
    answer,
    steps: outcomes.filter(wasWorkedOn).length,
    reason: last.reason,
    durationMs: Math.round(performance.now() - since),
  });
  return { answer, outcomes };
}

async function work(
  event: { readonly runId: string; readonly eventId: string },
  open: () => Promise<Worker>,
  context: WorkContext,
): Promise<StepOutcome[]> {
  const { logger } = context;
  try {
    const outcomes = await doRun(event, await open(), context);
    for (const outcome of outcomes) tellFailure(outcome, logger);
    return outcomes;
  } catch (error) {
    const outcome = failureOf(error, event.runId);
    if (!(error instanceof ConfigError || error instanceof StoreUnavailable)) {
      const stack = error instanceof Error ? (error.stack ?? null) : null;
      logger.debug('internal_error', reasonOf(error), { stack });
    }
    tellFailure(outcome, logger);
    return [outcome];
  }
}

function failureOf(error: unknown, runId: string): StepOutcome {
  if (error instanceof ConfigError) return { reason: 'misconfigured', message: error.message };
  const reason = reasonOf(error);
  const message = error instanceof StoreUnavailable ? reason : `a bug in this worker: ${reason}`;
  return { reason: 'infrastructure-failed', runId, stepId: null, message, cause: error };
}

/** What nobody will read in the step's own document. */
export function tellFailure(outcome: StepOutcome, logger: Logger): void {
  if (outcome.reason === 'misconfigured') {
    const error = { code: 'CONFIG_ERROR', message: outcome.message };
    logger.error('config_error', outcome.message, { error });
  }
  if (outcome.reason === 'infrastructure-failed') {
    const error = { code: 'INFRASTRUCTURE_ERROR', message: outcome.message };
    logger.error('infrastructure_error', outcome.message, { error });
  }
}

function wasWorkedOn({ reason }: StepOutcome): boolean {
  return reason === 'succeeded' || reason === 'failed' || reason === 'lease-lost';
}

function wordsOf(outcome: StepOutcome): string {
  return 'message' in outcome ? outcome.message : `nothing to do: ${outcome.reason}`;
}
