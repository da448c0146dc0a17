import type { ProxySettings } from '../chart-img/live/endpoint.js';
import type { Account } from '../contracts/documents.js';

export type ChartsApiMode = 'real' | 'mock' | 'record';
export type Backend = 'local' | 'gcp';
export type OutputSummary = 'none' | 'text' | 'json';

/** Where the gcp backend finds Firestore and Cloud Storage. */
export interface CloudConfig {
  /** `undefined`: the one that the credentials name. */
  readonly projectId: string | undefined;
  readonly database: string;
  /** `host:port`. */
  readonly firestoreEmulatorHost: string | undefined;
  /** With its scheme. */
  readonly storageEmulatorUrl: string | undefined;
  readonly createFlowRun: boolean;
}

/** How Chart-IMG is reached. */
export interface LiveConfig {
  readonly baseUrl: string;
  /** Of one call. */
  readonly timeoutMs: number;
  readonly proxy: ProxySettings;
}

/** Everything `run-local` was told from outside, parsed and checked once. Paths are absolute. */
export interface RunConfig {
  readonly flowRunPath: string;
  readonly stepId: string | undefined;
  readonly chartsApiMode: ChartsApiMode;
  /** `undefined`: nobody is called. */
  readonly live: LiveConfig | undefined;
  readonly backend: Backend;
  /** `undefined`: the backend is `local`. */
  readonly cloud: CloudConfig | undefined;
  /** Bucket name without `gs://`. */
  readonly bucket: string;
  readonly accounts: readonly Account[];
  readonly workspace: string;
  readonly templatesDir: string | undefined;
  readonly fixturesDir: string | undefined;
  readonly out: string | undefined;
  readonly replay: boolean;
  readonly ignoreDependencies: boolean;
  readonly dryRun: boolean;
  readonly concurrency: number;
  /** For the whole step. */
  readonly timeoutMs: number;
  readonly leaseTtlMs: number;
  /** IANA name. */
  readonly timezone: string;
  /** Things worth a word that do not stop the run. */
  readonly warnings: readonly string[];
}
