import { EventEmitter, once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type CallName, callName } from './firestore-call-names.js';

export interface Call {
  readonly name: CallName;
  /** Counts the calls of this name, from 1. */
  readonly nth: number;
  /** The HTTP status of the emulator's answer; `undefined`: nothing yet. */
  status: number | undefined;
}

/** What happens at one request. Hooks are waited for. */
export interface CallFault {
  /** The request is here, whole; the emulator has not seen it. */
  readonly before?: () => unknown;
  /** The emulator has answered; nothing of that was sent on yet. */
  readonly applied?: () => unknown;
  /**
   * `lost`: the emulator never sees the request; `cut`: its reply does not come, and the client's
   * connection is destroyed, as with `lost`; `hang`: its reply does not come, for ever.
   */
  readonly end?: 'lost' | 'cut' | 'hang';
}

/** Between a client and the Firestore emulator: HTTP without TLS, with faults. */
export class FirestoreProxy {
  /** In order of arrival. */
  readonly calls: Call[] = [];
  readonly #emulator: string;
  readonly #server: Server;
  readonly #upstream = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #faults = new Map<string, CallFault>();
  readonly #news = new EventEmitter().setMaxListeners(0);

  private constructor(emulator: string) {
    this.#emulator = emulator;
    this.#server = createServer((request, response) => {
      // A client that was killed or cut off takes its calls with it.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(emulator: string): Promise<FirestoreProxy> {
    const proxy = new FirestoreProxy(emulator);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** For FIRESTORE_EMULATOR_HOST. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** At the n-th request of a name, counted from now. */
  at(name: CallName, nth: number, fault: CallFault): void {
    this.#faults.set(`${name} ${this.count(name) + nth}`, fault);
  }

  count(name: CallName, status?: number): number {
    return this.calls.filter(
      (call) => call.name === name && (status === undefined || call.status === status),
    ).length;
  }

  /** Resolves once the n-th request of a name has arrived. */
  arrived(name: CallName, nth: number): Promise<void> {
    return this.#until(() => this.count(name) >= nth);
  }

  /** Resolves once the emulator has answered the n-th request of a name. */
  answered(name: CallName, nth: number): Promise<void> {
    const isIt = (call: Call) => call.name === name && call.nth === nth;
    return this.#until(() => this.calls.some((call) => isIt(call) && call.status !== undefined));
  }

  async close(): Promise<void> {
    this.#upstream.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await once(this.#news, 'news');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const name = callName(String(request.url), body);
    const call: Call = { name, nth: this.count(name) + 1, status: undefined };
    this.calls.push(call);
    this.#news.emit('news');
    const fault = this.#faults.get(`${name} ${call.nth}`) ?? {};

    await fault.before?.();
    if (fault.end === 'lost') return void request.socket.destroy();
    const answer = await this.#forward(request, body);
    call.status = answer.status;
    this.#news.emit('news');
    await fault.applied?.();
    if (fault.end === 'hang') return;
    if (fault.end === 'cut') return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async #forward({ url, method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const call = httpRequest(`http://${this.#emulator}${url}`, {
      ...(method !== undefined && { method }),
      headers,
      agent: this.#upstream,
    });
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    const { 'transfer-encoding': _, ...kept } = answer.headers;
    return { status: answer.statusCode ?? 0, headers: kept, body: await buffer(answer) };
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
