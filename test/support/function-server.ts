import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LogLine } from './cli-run.js';
import { binaryEvent, type Sent } from './saved-events.js';

const FRAMEWORK = fileURLToPath(
  new URL('../../node_modules/.bin/functions-framework', import.meta.url),
);
const FUNCTION = fileURLToPath(new URL('../../dist/cloud-event/index.js', import.meta.url));
const START_MS = 60_000;

type Cleanup = (undo: () => Promise<void>) => void;

export interface FunctionServerOptions {
  readonly cwd: string;
  /** Added to an environment that holds nothing but what Node needs, and NODE_ENV=production. */
  readonly env?: Readonly<Record<string, string>>;
  readonly target?: Target;
  /** The built function itself, unless it is `package`: what the package of `cwd` is the code of. */
  readonly code?: 'built' | 'package';
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

export interface ServerEnded {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Since the last signal that we sent it. */
  readonly afterMs: number;
}

/** An event as Eventarc sends it, its data never looked at. */
export interface Event {
  readonly id: string;
  readonly runId: string;
}

export type Target = 'workerChartExport' | 'workerChartExportSweep';

/** The Functions Framework with the function in it, in a process of its own. */
export class FunctionServer {
  readonly port: number;
  readonly ended: Promise<ServerEnded>;
  /** Every line on stdout, which holds the log and nothing else. */
  readonly stdout: string[] = [];
  stderr = '';
  readonly #child: ChildProcess;
  #signalledAt = performance.now();
  #end: ServerEnded | undefined;
  #wakers: (() => void)[] = [];

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    if (child.stdout) {
      createInterface(child.stdout).on('line', (line) => {
        this.stdout.push(line);
        this.#wake();
      });
    }
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    this.ended = new Promise((resolve, reject) => {
      let afterMs = 0;
      child.on('error', reject);
      child.on('exit', () => {
        afterMs = performance.now() - this.#signalledAt;
      });
      // After its last lines.
      child.on('close', (exitCode, signal) => {
        this.#end = { exitCode, signal, afterMs };
        resolve(this.#end);
        this.#wake();
      });
    });
  }

  /** Resolves once it listens; it is gone when the test is over. */
  static async start(
    onTestFinished: Cleanup,
    { cwd, env = {}, target = 'workerChartExport', code = 'built' }: FunctionServerOptions,
  ): Promise<FunctionServer> {
    const port = await freePort();
    const isBuilt = code === 'built';
    const framework = isBuilt ? FRAMEWORK : `${cwd}/node_modules/.bin/functions-framework`;
    const source = isBuilt ? [`--source=${FUNCTION}`] : [];
    const argv = [framework, `--target=${target}`, `--port=${port}`, ...source];
    const child = spawn(process.execPath, argv, {
      cwd,
      env: {
        PATH: process.env.PATH,
        HOME: cwd,
        NODE_ENV: 'production',
        METADATA_SERVER_DETECTION: 'none',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new FunctionServer(child, port);
    onTestFinished(async () => {
      await server.kill('SIGKILL');
    });
    await server.#listens();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Each line of stdout; throws where one is no JSON object. */
  get log(): LogLine[] {
    return this.stdout.map((line) => JSON.parse(line));
  }

  /** The log lines of one event. */
  linesOf(event: string): LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  /** Resolves with the n-th log line of this event; rejects if the process ends without it. */
  async event(name: string, nth = 1): Promise<LogLine> {
    for (;;) {
      const line = this.linesOf(name)[nth - 1];
      if (line !== undefined) return line;
      if (this.#end) throw new Error(`ended without ${name}: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }

  /** Resolves with the answer; rejects where the connection ends without one. */
  send(
    { method = 'POST', headers = {}, body = '' }: Sent,
    signal?: AbortSignal,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) };
      const options = { method, headers: { ...length, ...headers }, agent: false };
      request(this.url, { ...options, ...(signal && { signal }) }, (response) => {
        buffer(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, body: bytes.toString() }),
          reject,
        );
      })
        .on('error', reject)
        .end(method === 'GET' ? undefined : body);
    });
  }

  deliver({ id, runId }: Event, signal?: AbortSignal): Promise<Answered> {
    return this.send(binaryEvent(runId, { id }), signal);
  }

  /** Of the sweep's target. */
  sweep(): Promise<Answered> {
    return this.send({});
  }

  /** Asks it to end, as Cloud Run does, or ends it; resolves when it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<ServerEnded> {
    this.#signalledAt = performance.now();
    this.#child.kill(signal);
    return this.ended;
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  /** In production the framework does not say that it listens. */
  async #listens(): Promise<void> {
    const until = performance.now() + START_MS;
    while (performance.now() < until && !this.#end) {
      const isOpen = await new Promise<boolean>((resolve) => {
        const socket = connect(this.port, '127.0.0.1', () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.on('connect', () => socket.destroy());
      });
      if (isOpen) return;
      await sleep(50);
    }
    throw new Error(`the function does not listen: ${this.stderr}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
