import { counted } from '../counted.js';
import type { StepIdentity, StepOutcome } from '../engine/outcome.js';

/** All that can come of a command: whoever is at the terminal may also say no. */
export type CommandOutcome =
  | StepOutcome
  | ({ readonly reason: 'declined'; readonly status: string } & StepIdentity);

/** An outcome as the command line tells it. */
export interface OutcomeView {
  readonly exitCode: number;
  /** The step's status; `null` where there is none to speak of. */
  readonly status: string | null;
  readonly errorCode: string | null;
  /** Nothing was done, on purpose. */
  readonly noop: boolean;
  /** One line for people. */
  readonly message: string;
}

/** The signal that ended a run, as shells count it: 128 + its number. */
export const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof SIGNAL_EXIT_CODES;

/** The one place where an outcome becomes an exit code. */
export function viewOf(outcome: CommandOutcome, signal: EndingSignal | undefined): OutcomeView {
  const idle = { errorCode: null, noop: true, exitCode: 3 };
  switch (outcome.reason) {
    case 'succeeded':
      return {
        exitCode: 0,
        status: 'SUCCEEDED',
        errorCode: null,
        noop: false,
        message: `step ${outcome.stepId} SUCCEEDED with ${counted(outcome.items.length, 'chart')}`,
      };
    case 'failed':
      return {
        exitCode: 1,
        status: 'FAILED',
        errorCode: outcome.error.code,
        noop: false,
        message: outcome.error.message,
      };
    case 'already-final':
      return {
        exitCode: outcome.status === 'SUCCEEDED' ? 0 : 1,
        status: outcome.status,
        errorCode: outcome.status === 'SUCCEEDED' ? null : outcome.errorCode,
        noop: true,
        message: `step ${outcome.stepId} is ${outcome.status} already; use --replay to do it again`,
      };
    case 'all-succeeded':
      return {
        exitCode: 0,
        status: 'SUCCEEDED',
        errorCode: null,
        noop: true,
        message: `every CHART_EXPORT step of run ${outcome.runId} is SUCCEEDED already; use --replay to do one again`,
      };
    case 'not-addressable':
      return {
        exitCode: 2,
        status: 'FAILED',
        errorCode: 'VALIDATION_FAILED',
        noop: false,
        message: outcome.message,
      };
    case 'nothing-eligible':
      return { ...idle, status: null, message: outcome.message };
    case 'blocked': {
      const message = `${outcome.message}; --ignore-dependencies does it all the same`;
      return { ...idle, status: outcome.status, message };
    }
    case 'not-ready':
    case 'held':
    case 'contended':
    case 'unleased':
      return { ...idle, status: outcome.status, message: outcome.message };
    case 'lease-lost':
      return { ...idle, noop: false, status: outcome.status, message: outcome.message };
    case 'interrupted':
      return {
        exitCode: SIGNAL_EXIT_CODES[signal ?? 'SIGINT'],
        status: outcome.claimed ? 'RUNNING' : null,
        errorCode: null,
        noop: !outcome.claimed,
        message: outcome.message,
      };
    case 'planned':
      return {
        exitCode: outcome.error ? 1 : 0,
        status: outcome.status,
        errorCode: outcome.error?.code ?? null,
        noop: true,
        message: outcome.error
          ? `dry run: step ${outcome.stepId} would fail: ${outcome.error.message}`
          : `dry run: step ${outcome.stepId} would be done; nothing was written`,
      };
    case 'declined':
      return { ...idle, status: outcome.status, message: 'not done; nothing was written' };
    case 'misconfigured':
      return {
        exitCode: 2,
        status: null,
        errorCode: 'CONFIG_ERROR',
        noop: false,
        message: outcome.message,
      };
    case 'infrastructure-failed':
      return {
        exitCode: 4,
        status: null,
        errorCode: 'INFRASTRUCTURE_ERROR',
        noop: false,
        message: outcome.message,
      };
    default:
      return outcome satisfies never;
  }
}

/** Whether people hear of it as an error, on stderr, rather than as news. */
export function isError({ exitCode }: OutcomeView): boolean {
  return exitCode === 2 || exitCode === 4;
}
