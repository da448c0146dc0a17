import type { ManifestFailure, ManifestItem, PlannedChart } from '../contracts/documents.js';

/** Stable; stands in the step's `error`, in the manifest and in the summary. */
export type ErrorCode =
  | 'VALIDATION_FAILED'
  | 'CHART_API_FAILED'
  | 'CHART_API_LIMIT_EXCEEDED'
  | 'CHART_API_MOCK_MISSING'
  | 'GCS_WRITE_FAILED'
  | 'MANIFEST_WRITE_FAILED'
  | 'WORKER_LEASE_LOST'
  | 'INTERNAL_ERROR';

export interface StepError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Which step an outcome speaks of. */
export interface StepIdentity {
  readonly runId: string;
  readonly stepId: string;
}

/** What a settled step came to, as it stands in the store. */
export interface SettledFacts extends StepIdentity {
  readonly attempt: number;
  readonly minImages: number | null;
  readonly manifestUri: string | null;
  readonly items: readonly ManifestItem[];
  readonly failures: readonly ManifestFailure[];
  /** First store read to settled commit. */
  readonly durationMs: number;
}

/** All that can happen to one request to do a step. Mapped to exit codes in one place per adapter. */
export type StepOutcome =
  /** Enough charts came; the step is `SUCCEEDED`. */
  | ({ readonly reason: 'succeeded' } & SettledFacts)
  /** Too few charts came, or the inputs were wrong; the step is `FAILED`. */
  | ({ readonly reason: 'failed'; readonly error: StepError } & SettledFacts)
  /** Somebody finished the step before; nothing was done. */
  | ({
      readonly reason: 'already-final';
      readonly status: 'SUCCEEDED' | 'FAILED';
      readonly errorCode: string | null;
      readonly manifestUri: string | null;
    } & StepIdentity)
  /** No step was named, and every CHART_EXPORT step of the run is `SUCCEEDED` already. */
  | { readonly reason: 'all-succeeded'; readonly runId: string }
  /** The request names nothing that this worker can do; nothing was written. */
  | {
      readonly reason: 'not-addressable';
      /** There is no such flow run, where it was looked for. */
      readonly isAbsent?: true;
      readonly runId: string | null;
      readonly stepId: string | null;
      readonly message: string;
    }
  /** No step was named and none is eligible now. */
  | {
      readonly reason: 'nothing-eligible';
      readonly runId: string;
      /** A step is held by a live lease of the very event that asks. */
      readonly isAtWork: boolean;
      readonly message: string;
    }
  /** The named step waits for others. */
  | ({
      readonly reason: 'blocked';
      readonly status: string;
      readonly message: string;
    } & StepIdentity)
  /** The named step is `PENDING`, `SKIPPED` or `CANCELLED`, or its run is cancelled. */
  | ({
      readonly reason: 'not-ready';
      readonly status: string;
      readonly message: string;
    } & StepIdentity)
  /** Another worker's lease is live, or it won the claim. */
  | ({
      readonly reason: 'held';
      readonly status: string;
      /** The lease is of the very event that asks. */
      readonly isAtWork: boolean;
      readonly message: string;
    } & StepIdentity)
  /** Eligible, but others kept writing the run until the deadline. */
  | ({
      readonly reason: 'contended';
      readonly status: string;
      readonly message: string;
    } & StepIdentity)
  /** `RUNNING`, but no lease of ours: the Python worker's. */
  | ({
      readonly reason: 'unleased';
      readonly status: string;
      readonly message: string;
    } & StepIdentity)
  /** The step was ours and no longer is; nothing more was written. */
  | ({
      readonly reason: 'lease-lost';
      readonly status: string | null;
      readonly attempt: number;
      readonly message: string;
    } & StepIdentity)
  /** A signal came; a claim that was made was given back. */
  | {
      readonly reason: 'interrupted';
      /** `null`: it came before a step was selected. */
      readonly runId: string | null;
      readonly stepId: string | null;
      readonly claimed: boolean;
      readonly attempt: number | null;
      readonly message: string;
    }
  /** `--dry-run`: what would be done. */
  | ({
      readonly reason: 'planned';
      readonly status: string;
      readonly minImages: number | null;
      readonly plan: readonly PlannedChart[];
      /** What each account would pay for, and has left before that. */
      readonly calls: readonly {
        readonly accountId: string;
        readonly units: number;
        readonly left: number;
      }[];
      /** What the whole step would fail with. */
      readonly error: StepError | null;
    } & StepIdentity)
  /** What the user gave cannot work; nothing was written. */
  | { readonly reason: 'misconfigured'; readonly message: string }
  /** The store failed and the outcome could not be written. */
  | {
      readonly reason: 'infrastructure-failed';
      readonly runId: string | null;
      readonly stepId: string | null;
      readonly message: string;
      readonly cause: unknown;
    };
