import type { ManifestError } from '../contracts/generated/types.js';
import type { ErrorCode } from '../engine/outcome.js';

/** An error code in words. */
export interface Explanation {
  /** What happened, as a heading. */
  readonly title: string;
  /** What the reader can do about it, in whole sentences. */
  readonly remedy: string;
}

const AGAIN =
  'Then do the step again with --replay; --only-failed beside it keeps the charts that came.';

const BY_CODE: Readonly<Record<ErrorCode, Explanation>> = {
  VALIDATION_FAILED: {
    title: 'The request is not valid',
    remedy: `Nothing was asked of Chart-IMG. Correct what the message names, the chart template or the step’s inputs. ${AGAIN}`,
  },
  CHART_API_FAILED: {
    title: 'Chart-IMG gave no chart',
    remedy: `Follow the message: it holds Chart-IMG’s own words. ${AGAIN}`,
  },
  CHART_API_LIMIT_EXCEEDED: {
    title: 'No quota was left',
    remedy: `Wait until 00:00 UTC, when the day’s quota begins anew, or add an account. ${AGAIN}`,
  },
  CHART_API_MOCK_MISSING: {
    title: 'No recorded answer to replay',
    remedy: `Put the file that the message names into the folder of --fixtures-dir, or let --charts-api-mode record make it. ${AGAIN}`,
  },
  GCS_WRITE_FAILED: {
    title: 'The chart came but could not be stored',
    remedy: `Check that the bucket, or the disk of a local workspace, can be reached and written. ${AGAIN}`,
  },
  MANIFEST_WRITE_FAILED: {
    title: 'The manifest could not be stored',
    remedy: `Check that the bucket, or the disk of a local workspace, can be reached and written. ${AGAIN}`,
  },
  WORKER_LEASE_LOST: {
    title: 'Workers kept dying on this step',
    remedy: `Find out from their logs what ended them: memory, a time limit, a restart. ${AGAIN}`,
  },
  INTERNAL_ERROR: {
    title: 'A fault in worker-chart-export itself',
    remedy: 'Report it with the log of the run; trying again is safe: use --replay.',
  },
};

const UNKNOWN: Explanation = {
  title: 'An error that this version does not know',
  remedy: 'Follow the message, or read the manifest with the version that wrote it.',
};

/** Where the code alone says too little: what became of the asking. */
const CALLS = {
  deadline: {
    title: 'The time for the step was up',
    remedy:
      'Give the step more time (--timeout), more accounts or fewer charts. Then do it again with --replay.',
  },
  rushed: {
    title: 'Chart-IMG was asked too often until the time was up',
    remedy: `Check plan and requestsPerSecond of the accounts, add an account, or give the step more time (--timeout). ${AGAIN}`,
  },
  key: {
    title: 'Chart-IMG refused the account',
    remedy: `Check the apiKey of each account, and that its plan is large enough for the chart. ${AGAIN}`,
  },
  stumbled: {
    title: 'Chart-IMG did not answer as it should',
    remedy: `Nothing here is wrong with the chart. Wait until the service is well. ${AGAIN}`,
  },
  chart: {
    title: 'Chart-IMG cannot draw this chart',
    remedy: `It fails the same way each time: correct the symbol, the timeframe or the chart template that the message speaks of. ${AGAIN}`,
  },
} as const satisfies Record<string, Explanation>;

/** Pure. What a failure means and what to do about it; every code has an answer, also one of a newer version. */
export function explain({ code, details }: ManifestError): Explanation {
  const isLate = details?.reason === 'deadline';
  if (code === 'CHART_API_LIMIT_EXCEEDED' && isLate) return CALLS.rushed;
  if (code === 'CHART_API_FAILED') {
    if (isLate) return CALLS.deadline;
    const status = httpStatusOf(details);
    return status === undefined ? BY_CODE.CHART_API_FAILED : explainStatus(status);
  }
  return isErrorCode(code) ? BY_CODE[code] : UNKNOWN;
}

/** The provider's HTTP status, where it answered. */
export function httpStatusOf(details: ManifestError['details']): number | undefined {
  const status = details?.httpStatus;
  return typeof status === 'number' ? status : undefined;
}

/** The codes that have words of their own. */
export const EXPLAINED_CODES = Object.keys(BY_CODE) as readonly ErrorCode[];

function explainStatus(status: number): Explanation {
  if (status === 401 || status === 403) return CALLS.key;
  if (status === 429 || status >= 500) return CALLS.stumbled;
  // A 200 that was no whole PNG, or a redirection: neither chart nor account is to blame.
  return status < 400 ? CALLS.stumbled : CALLS.chart;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(BY_CODE, code);
}
