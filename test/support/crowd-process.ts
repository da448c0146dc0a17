import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Account } from '../../src/contracts/documents.js';
import type { StepIdentity } from '../../src/engine/outcome.js';
import { bundled } from './bundled.js';
import type { LogLine } from './cli-run.js';

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
export class CrowdProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';

  constructor(settings: CrowdSettings) {
    this.#child = spawn(process.execPath, [WORKER, JSON.stringify(settings)]);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('a child without stdout');
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]();
  }

  /** Resolves once it is loaded. */
  async ready(): Promise<void> {
    await this.#until('ready');
  }

  /** Has it try all of these steps; resolves with all that it did. */
  async round(round: CrowdRound): Promise<LogLine[]> {
    this.#child.stdin?.write(`${JSON.stringify(round)}\n`);
    return this.#until('round_ended');
  }

  /** Resolves with its exit code, once it has nothing left to do. */
  async end(): Promise<number | null> {
    const code = new Promise<number | null>((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    return code;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #until(event: string): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`a worker ended: ${this.#stderr}`);
      const line = JSON.parse(value) as LogLine;
      if (line.event === event) return lines;
      lines.push(line);
    }
  }
}
