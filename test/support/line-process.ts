import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { LogLine } from './cli-run.js';

/** A program of ours in a process of its own that is told, and tells, one JSON object a line. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';

  constructor(program: string, settings: unknown) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(settings)]);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('a child without stdout');
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]();
  }

  /** Resolves once it is loaded. */
  async ready(): Promise<void> {
    await this.until('ready');
  }

  tell(line: object): void {
    this.#child.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  /** All that it says before this event. */
  async until(event: string): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`a worker ended: ${this.#stderr}`);
      const line = JSON.parse(value) as LogLine;
      if (line.event === event) return lines;
      lines.push(line);
    }
  }

  /** Resolves with its exit code, once it has nothing left to do. */
  async end(): Promise<number | null> {
    const code = new Promise<number | null>((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    return code;
  }

  /** By SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
