import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundled } from './bundled.js';

const WORKER = bundled(new URL('./local-worker.ts', import.meta.url));
const CRASH_AT = new URL('./local-crash-at.mjs', import.meta.url).href;

type Cleanup = (undo: () => Promise<void>) => void;

/** An empty folder that is removed when the test is over. */
export async function temporaryFolder(onTestFinished: Cleanup): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-disk-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** A real process that runs one of the jobs of `local-worker.ts`. */
export class LocalWorker {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: string[] = [];
  #onLine: () => void = () => undefined;

  constructor(job: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const crash = Object.keys(env).length > 0 ? ['--import', CRASH_AT] : [];
    this.child = spawn(process.execPath, [...crash, WORKER, ...job], {
      env: { ...process.env, ...env },
    });
    const { child } = this;
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    if (child.stdout) {
      createInterface(child.stdout).on('line', (line) => {
        this.#lines.push(line);
        this.#onLine();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal, lines: this.#lines, stderr });
        this.#onLine();
      });
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resolves with the n-th line it prints; rejects if it ends before. */
  async line(n = 0): Promise<string> {
    let ended: Ended | undefined;
    void this.ended.then((how) => {
      ended = how;
    });
    for (;;) {
      const line = this.#lines[n];
      if (line !== undefined) return line;
      if (ended) throw new Error(`the worker ended: ${ended.signal ?? ended.code} ${ended.stderr}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
        void this.ended.then(() => resolve());
      });
    }
  }

  tell(word: string): void {
    this.child.stdin?.write(`${word}\n`);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Runs a job to its own end; rejects unless that is exit 0. */
export async function runWorker(job: readonly string[]): Promise<readonly string[]> {
  const { code, signal, lines, stderr } = await new LocalWorker(job).ended;
  if (code !== 0) throw new Error(`${job.join(' ')} ended with ${signal ?? code}: ${stderr}`);
  return lines;
}
