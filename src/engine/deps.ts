import type { ArtifactStore } from '../artifacts/artifact-store.js';
import type { ChartProvider } from '../chart-img/chart-provider.js';
import type { Clock } from '../clock.js';
import type { Account } from '../contracts/documents.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { Logger } from '../log/logger.js';
import type { ChartCache } from './chart-cache.js';
import type { Run } from './flow-run.js';
import type { LeaseOwner } from './lease-document.js';

/** Where chart templates come from that the document store does not hold. */
export interface TemplateFallback {
  /** The template's JSON, unchecked; `undefined`: no such template. */
  find(chartTemplateId: string): Promise<unknown>;
}

/** Everything the engine works with: ports, settings, and the world's clock. */
export interface EngineDeps {
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
  readonly provider: ChartProvider;
  readonly templates: TemplateFallback;
  /** Absent: every chart is rendered. */
  readonly cache?: ChartCache;
  /** Empty: calls cost no quota. */
  readonly accounts: readonly Account[];
  readonly owner: LeaseOwner;
  /** `true` only if that owner surely ended; where nobody can know, always `false`. */
  readonly ownerIsGone: (owner: LeaseOwner) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the process is asked to end: calls under way are cut, the step is given back. */
  readonly signal: AbortSignal;
  /**
   * Aborts before `signal`, where there is time: no chart is begun, what is under way may finish, and
   * the step is settled if nothing of it is left. Absent: there is never time.
   */
  readonly windDown?: AbortSignal;
  readonly settings: {
    /** Charts rendered at the same time. */
    readonly concurrency: number;
    /** For the whole step. */
    readonly timeoutMs: number;
    readonly leaseTtlMs: number;
    /** IANA name, written into every request. */
    readonly timezone: string;
    /** Where objects go; absent: under `charts`. */
    readonly objectRoot?: string;
    /** For the log: `real`, `mock` or `record`. */
    readonly chartsApiMode: string;
    /** Calls go to the provider: accounts are needed, paced, and given time to recover. */
    readonly isLive: boolean;
  };
}

/** Which step is to be done, and how much of the rules the operator sets aside. */
export interface StepRequest {
  readonly runId: string;
  /** `undefined`: the first eligible one. */
  readonly stepId: string | undefined;
  /**
   * Charts to be rendered anew, by template id, or those that failed; the rest stays as the last
   * manifest has it. Absent: all of them.
   */
  readonly only?: readonly string[] | 'failed';
  /** The event that asks, where one does: its redelivery is to find out that the step is at work. */
  readonly eventId?: string;
  /** The run as the caller has it, where it has it; the stored one decides. */
  readonly asGiven: Run | undefined;
  readonly replay: boolean;
  readonly ignoreDependencies: boolean;
  /** A dependency that is nowhere in the run is a warning for a named step. */
  readonly tolerateAbsentDependencies: boolean;
  readonly dryRun: boolean;
}
