import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { type AxiosResponse, OpenAPIClientAxios } from 'openapi-client-axios';
import { main } from '../../src/cli/main.js';
import { type LogLine, logLines } from './cli-run.js';

type Cleanup = (undo: () => Promise<void>) => void;

interface ServedOptions {
  readonly cwd: string;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export const TOKEN = 'not-a-real-token-0123456789';

/** Calls one operation of the API, by its path and query parameters, and its body. */
export type Call = (
  operationId: string,
  parameters?: Readonly<Record<string, string | number | boolean>>,
  body?: unknown,
) => Promise<AxiosResponse>;

/** The command `serve`, within this process, on a port of its own. */
export class Served {
  readonly url: string;
  readonly #signals: EventEmitter;
  readonly #ended: Promise<number>;
  readonly #stderr: () => string;

  /** What it said so far. */
  get stderr(): string {
    return this.#stderr();
  }

  /** Its lines that are JSON. */
  get log(): LogLine[] {
    return logLines(this.stderr);
  }

  private constructor(
    url: string,
    signals: EventEmitter,
    ended: Promise<number>,
    stderr: () => string,
  ) {
    this.url = url;
    this.#signals = signals;
    this.#ended = ended;
    this.#stderr = stderr;
  }

  /** Resolves once it listens; it is stopped when the test is over. */
  static async start(
    onTestFinished: Cleanup,
    { cwd, argv = [], env = {} }: ServedOptions,
  ): Promise<Served> {
    const signals = new EventEmitter();
    let stderr = '';
    let ended: Promise<number> = Promise.resolve(-1);
    const url = await new Promise<string>((resolve, reject) => {
      let stdout = '';
      ended = main({
        argv: ['serve', '--port', '0', '--verbose', ...argv],
        env: { PATH: process.env.PATH, HOME: cwd, ...env },
        cwd,
        nodeVersion: process.versions.node,
        stdin: Readable.from([]),
        stdout: sink((text) => {
          stdout += text;
          const [, found] = /^listening on (\S+)\n/.exec(stdout) ?? [];
          if (found !== undefined) resolve(found);
        }),
        stderr: sink((text) => {
          stderr += text;
        }),
        signals,
        endNow: (code) => reject(new Error(`it wants to end at once, with ${code}`)),
      });
      void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)));
    });
    const served = new Served(url, signals, ended, () => stderr);
    onTestFinished(async () => {
      await served.stop();
    });
    return served;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers });
  }

  /** A client that is made from the document which the server itself hands out. */
  async client(token = TOKEN): Promise<Call> {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await this.get('/openapi.json', headers);
    if (!answer.ok) throw new Error(`no document: ${answer.status}`);
    const api = new OpenAPIClientAxios({
      definition: JSON.parse(await answer.text()),
      withServer: { url: this.url },
      axiosConfigDefaults: { headers, validateStatus: () => true },
    });
    const client = await api.init();
    return (operationId, parameters = {}, body) => {
      const operation = client[operationId];
      if (!operation) throw new Error(`the document has no ${operationId}`);
      const isPicture = operationId === 'getSnapshotImage';
      const texts = Object.entries(parameters).map(([name, value]) => [name, String(value)]);
      return operation(
        Object.fromEntries(texts),
        body,
        isPicture ? { responseType: 'arraybuffer' } : {},
      );
    };
  }

  /** Resolves to the exit code. */
  stop(): Promise<number> {
    this.#signals.emit('SIGTERM');
    return this.#ended;
  }
}

function sink(write: (text: string) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(String(chunk));
      done();
    },
  });
}
