import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/cli/main.js';
import { ALL_CASES } from './share.js';

export const BIN = fileURLToPath(new URL('../../bin/worker-chart-export.js', import.meta.url));

type Cleanup = (undo: () => Promise<void>) => void;

/** A command line and where it is run. */
export type Command = readonly [argv: readonly string[], options: StartOptions];

/** One line of the JSON log. */
export type LogLine = Record<string, unknown> & { readonly event: string };

export interface Ended {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly cwd: string;
  /** Added to an environment that holds nothing but what Node needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Modules to preload, as URLs. */
  readonly preload?: readonly string[];
  /** Written to its stdin, which is then closed; without it stdin is closed at once; `null`: never. */
  readonly input?: string | null;
}

/** An empty folder that is removed when the test is over. */
export async function emptyFolder(onTestFinished: Cleanup): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'cli-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** The real program, built, in a process of its own. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: LogLine[] = [];
  #wake: () => void = () => undefined;

  constructor(argv: readonly string[], { cwd, env = {}, preload = [], input }: StartOptions) {
    const imports = preload.flatMap((url) => ['--import', url]);
    this.child = spawn(process.execPath, [...imports, BIN, ...argv], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
    });
    const { child } = this;
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    if (child.stderr) {
      createInterface(child.stderr).on('line', (line) => {
        if (!line.startsWith('{')) return;
        this.#lines.push(JSON.parse(line));
        this.#wake();
      });
    }
    child.stdin?.on('error', () => undefined);
    if (input !== null) child.stdin?.end(input);
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode, signal) => {
        resolve({ exitCode, signal, stdout, stderr });
        this.#wake();
      });
    });
  }

  /** What it has logged so far. */
  get log(): readonly LogLine[] {
    return [...this.#lines];
  }

  /** Resolves with the first such line of this event; rejects if the process ends without one. */
  async event(name: string, isSuch: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    let ended: Ended | undefined;
    void this.ended.then((how) => {
      ended = how;
      this.#wake();
    });
    for (;;) {
      const line = this.#lines.find((said) => said.event === name && isSuch(said));
      if (line !== undefined) return line;
      if (ended) throw new Error(`ended without ${name}: ${ended.exitCode} ${ended.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when it has asked for this chart. */
  async asked(chart: string): Promise<void> {
    await this.event('chart_api_call_start', ({ chartTemplateId }) => chartTemplateId === chart);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/**
 * Runs the program to its end: within this process where it touches nothing but its own folder,
 * which takes a tenth of the time. With PROVE=1 always as a process of its own.
 */
export function runCli(argv: readonly string[], options: StartOptions): Promise<Ended> {
  return ALL_CASES || needsProcess(argv, options)
    ? new CliProcess(argv, options).ended
    : runHere(argv, options);
}

/** A sign-in, a certificate, a proxy and whatever is preloaded look at the process itself. */
function needsProcess(argv: readonly string[], { env = {}, preload = [], input }: StartOptions) {
  const said = [...argv, ...Object.entries(env).flat()].join(' ');
  const signsIn =
    /gcp|bucket/i.test(said) && !(env.FIRESTORE_EMULATOR_HOST && env.STORAGE_EMULATOR_HOST);
  return (
    preload.length > 0 || input === null || signsIn || /NODE_|proxy|GOOGLE_APPLICATION/i.test(said)
  );
}

async function runHere(
  argv: readonly string[],
  { cwd, env = {}, input }: StartOptions,
): Promise<Ended> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const exitCode = await main({
    argv,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    cwd,
    nodeVersion: process.versions.node,
    stdin: Readable.from(input ? [Buffer.from(input)] : []),
    stdout,
    stderr,
    signals: new EventEmitter(),
    endNow: (code) => {
      throw new Error(`it wants to end at once, with ${code}`);
    },
  });
  return { exitCode, signal: null, stdout: stdout.text, stderr: stderr.text };
}

class Collected extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

export function logLines(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** Writes a JSON file into a folder and returns its path. */
export async function jsonFile(folder: string, name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(value));
  return path;
}

/** A flow run of one CHART_EXPORT step, READY and without dependencies. */
export function flowRun({
  runId = '20251221-120000_BTCUSDT_demo',
  stepId = 'charts:1H:test',
  ...step
}: {
  readonly runId?: unknown;
  readonly stepId?: string;
  readonly [field: string]: unknown;
} = {}): Record<string, unknown> {
  return {
    schemaVersion: 1,
    runId,
    status: 'RUNNING',
    scope: { symbol: 'BTCUSDT' },
    steps: {
      [stepId]: {
        stepType: 'CHART_EXPORT',
        status: 'READY',
        timeframe: '1h',
        inputs: { minImages: 1, requests: [{ chartTemplateId: 'ctpl_price_ma1226_vol_v1' }] },
        outputs: {},
        ...step,
      },
    },
  };
}
