/** One row of the table: what is proved, and by which files. */
export interface ProofSuite {
  readonly name: string;
  /** Folders and files under `test/`. */
  readonly files: readonly string[];
  /** Each n-th of its cases is tried; 1: all of them. */
  readonly step: number;
}

/**
 * What `npm run prove` runs. Those in process try every case; of those that start programs, whose
 * every case takes half an hour, as many as end within its six minutes. `PROVE=1 npx vitest run
 * <file>` runs all cases of any file.
 */
export const SUITES: readonly ProofSuite[] = [
  { name: 'Protocol model', files: ['model/'], step: 1 },
  { name: 'Crash points', files: ['simulation/crash-points.test.ts'], step: 1 },
  { name: 'Simulation', files: ['simulation/simulation.test.ts'], step: 1 },
  { name: 'Fuzz', files: ['fuzz/'], step: 1 },
  {
    name: 'Real processes',
    files: [
      'cli/killed.test.ts',
      'cli/many-processes.test.ts',
      'cli/signals.test.ts',
      'cloud-event/crowd.test.ts',
      'cloud-event/redelivered.test.ts',
      'cloud-event/sweep.test.ts',
      'cloud-event/terminated.test.ts',
      'gcp/crowd.test.ts',
      'gcp/cut-recoveries.test.ts',
      'gcp/cut-replies.test.ts',
      'gcp/killed.test.ts',
      'gcp/stopped.test.ts',
      'live/ledger.test.ts',
      'local-disk/crash-points.test.ts',
      'local-disk/workspace-lock.test.ts',
    ],
    step: 4,
  },
];

/** The suite that a test file belongs to; its path is relative to `test/`. */
export function suiteOf(file: string): ProofSuite | undefined {
  return SUITES.find(({ files }) => files.some((prefix) => file.startsWith(prefix)));
}
