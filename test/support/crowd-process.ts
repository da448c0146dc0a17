import type { Account } from '../../src/contracts/documents.js';
import type { StepIdentity } from '../../src/engine/outcome.js';
import { bundled } from './bundled.js';
import type { LogLine } from './cli-run.js';
import { LineProcess } from './line-process.js';

export interface CrowdSettings {
  readonly projectId: string;
  readonly firestoreHost: string;
  readonly storageUrl: string;
  readonly bucket: string;
}

export interface CrowdRound {
  readonly steps: readonly StepIdentity[];
  readonly accounts: readonly Account[];
}

const WORKER = bundled(new URL('./crowd-worker.ts', import.meta.url));

/** A process that runs `crowd-worker.ts`, started once for many rounds. */
export class CrowdProcess extends LineProcess {
  constructor(settings: CrowdSettings) {
    super(WORKER, settings);
  }

  /** Has it try all of these steps; resolves with all that it did. */
  async round(round: CrowdRound): Promise<LogLine[]> {
    this.tell(round);
    return this.until('round_ended');
  }
}
