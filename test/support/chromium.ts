import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const program = programOf(process.env);

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoChromium =
  program === undefined ? 'SKIPPED: no CHROMIUM, no chromium on PATH' : '';

if (program === undefined && process.env.REQUIRE_CHROMIUM === '1') {
  throw new Error('REQUIRE_CHROMIUM is set: no CHROMIUM, no chromium on PATH');
}

/** For one command, a start or an end; a browser that hangs fails its test in time. */
const PATIENCE_MS = 30_000;

type Json = Record<string, unknown>;

/** What the DevTools protocol tells without being asked. */
export interface BrowserEvent {
  readonly method: string;
  readonly params: Json;
  readonly sessionId?: string;
}

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
}

/**
 * A headless browser of its own with an empty profile, driven over two pipes: no port is opened
 * that another process could talk to.
 */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #commands: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: BrowserEvent) => void>();
  #lastId = 0;
  #unread = '';

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    // The browser reads its file descriptor 3 and writes 4.
    this.#commands = child.stdio[3] as Writable;
    this.#commands.on('error', () => undefined);
    const answers = child.stdio[4] as Readable;
    answers.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    child.once('exit', () => this.#failAll(new Error('chromium ended')));
    child.once('error', (error) => this.#failAll(error));
  }

  static async start(): Promise<Chromium> {
    if (program === undefined) throw new Error(whyNoChromium);
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    const child = spawn(
      program,
      [
        '--headless',
        '--remote-debugging-pipe',
        `--user-data-dir=${profile}`,
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-dev-shm-usage',
        '--disable-gpu',
        '--hide-scrollbars',
        // Its sandbox cannot be set up by root, who runs CI.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        'about:blank',
      ],
      // A group of its own: a browser is many processes.
      { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    const chromium = new Chromium(child, profile);
    await chromium.send('Browser.getVersion');
    return chromium;
  }

  /** Rejects with the browser's words when it refuses, and when it does not answer in time. */
  send(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Json>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    const message = { id, method, params, ...(sessionId !== undefined && { sessionId }) };
    this.#commands.write(`${JSON.stringify(message)}\0`);
    return inTime(answer, method);
  }

  listen(listener: (event: BrowserEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const gone = new Promise<Json>((resolve) => this.#child.once('exit', () => resolve({})));
      process.kill(-pid, 'SIGKILL');
      await inTime(gone, 'the end of chromium');
    }
    // A killed group may still be writing.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #read(text: string): void {
    const messages = (this.#unread + text).split('\0');
    this.#unread = messages.pop() ?? '';
    for (const message of messages) this.#take(JSON.parse(message));
  }

  #take({ id, result, error, ...event }: Json): void {
    if (typeof id !== 'number') {
      for (const listener of this.#listeners) listener(event as unknown as BrowserEvent);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(JSON.stringify(error)));
    else waiting?.resolve(result as Json);
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Whichever comes first; nobody waits for a browser without end. */
export async function inTime<T>(answer: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController();
  const late = async () => {
    await sleep(PATIENCE_MS, undefined, { signal: stop.signal });
    throw new Error(`no answer to ${what} in ${PATIENCE_MS} ms`);
  };
  try {
    return await Promise.race([answer, late()]);
  } finally {
    stop.abort();
  }
}

function programOf({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  if (CHROMIUM) return CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return PATH.split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((file) => existsSync(file));
}
