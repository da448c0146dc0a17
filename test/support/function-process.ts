import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LogLine } from './cli-run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FRAMEWORK = 'node_modules/@google-cloud/functions-framework/build/src/main.js';
const UP_MS = 60_000;

export type Target = 'workerChartExport' | 'workerChartExportSweep';

/** An event as Eventarc sends it: its attributes as headers, its data never looked at. */
export interface Event {
  readonly id: string;
  readonly runId: string;
}

export function eventMessage({ id, runId }: Event) {
  const headers = {
    'content-type': 'application/protobuf',
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-type': 'google.cloud.firestore.document.v1.updated',
    'ce-source': '//firestore.googleapis.com/projects/demo/databases/(default)',
    'ce-subject': `documents/flow_runs/${runId}`,
  };
  return { headers, body: Buffer.from([10, 0]) };
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

export interface FunctionEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Since the last signal that we sent it. */
  readonly afterMs: number;
}

/** The function as it is deployed: built, in a process of its own, served by the framework. */
export class FunctionProcess {
  readonly ended: Promise<FunctionEnd>;
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #news = new EventEmitter().setMaxListeners(0);
  #signalledAt = performance.now();
  #said = '';

  private constructor(port: number, target: Target, cwd: string, env: Record<string, string>) {
    this.#port = port;
    const argv = [FRAMEWORK, `--target=${target}`, '--source=dist/cloud-event/index.js'];
    this.#child = spawn(process.execPath, [...argv, `--port=${port}`], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        HOME: cwd,
        NODE_ENV: 'production',
        METADATA_SERVER_DETECTION: 'none',
        ...env,
      },
    });
    const { stdout, stderr } = this.#child;
    stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk;
    });
    if (stdout) {
      createInterface(stdout).on('line', (line) => {
        if (line.startsWith('{')) this.log.push(JSON.parse(line));
        else this.#said += `${line}\n`;
        this.#news.emit('news');
      });
    }
    const closed = once(this.#child, 'close');
    this.ended = once(this.#child, 'exit').then(async ([exitCode, signal]) => {
      const afterMs = performance.now() - this.#signalledAt;
      // Its last lines.
      await closed;
      this.#news.emit('news');
      return { exitCode, signal, afterMs };
    });
  }

  /** Resolves once it takes requests. It is killed, if it still is there, when the test is over. */
  static async start(
    onTestFinished: (undo: () => Promise<void>) => void,
    {
      target = 'workerChartExport',
      cwd,
      env,
    }: { target?: Target; cwd: string; env: Record<string, string> },
  ): Promise<FunctionProcess> {
    const server = new FunctionProcess(await freePort(), target, cwd, env);
    onTestFinished(async () => {
      server.kill('SIGKILL');
      await server.ended;
    });
    await server.#up();
    return server;
  }

  /** What is not a line of the log: on stderr, or from the framework. */
  get said(): string {
    return this.#said;
  }

  kill(signal: NodeJS.Signals): void {
    this.#signalledAt = performance.now();
    this.#child.kill(signal);
  }

  /** Resolves with the answer; rejects where the connection ends without one. */
  deliver(event: Event, signal?: AbortSignal): Promise<Answered> {
    const { headers, body } = eventMessage(event);
    return this.#post(headers, body, signal);
  }

  /** Of the sweep's target. */
  sweep(): Promise<Answered> {
    return this.#post({}, Buffer.alloc(0));
  }

  /** Resolves with the n-th line of this event; rejects if the process ends without it. */
  async event(name: string, nth = 1): Promise<LogLine> {
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    for (;;) {
      const line = this.log.filter(({ event }) => event === name)[nth - 1];
      if (line !== undefined) return line;
      if (hasEnded) throw new Error(`ended without ${name}: ${this.#said}`);
      await once(this.#news, 'news');
    }
  }

  #post(headers: Record<string, string>, body: Buffer, signal?: AbortSignal): Promise<Answered> {
    const to = { host: '127.0.0.1', port: this.#port, method: 'POST', path: '/', agent: false };
    return new Promise((resolve, reject) => {
      const length = { 'content-length': String(body.length) };
      const sent = request({
        ...to,
        headers: { ...headers, ...length },
        ...(signal && { signal }),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      sent.end(body);
    });
  }

  /** In production the framework says nothing when it begins to listen. */
  async #up(): Promise<void> {
    const until = performance.now() + UP_MS;
    while (performance.now() < until) {
      if (await canConnect(this.#port)) return;
      if (this.#child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`the function did not start: ${this.#said}`);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
