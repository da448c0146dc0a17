import { EventEmitter, once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type CallName, callName } from './firestore-call-names.js';

export interface Call {
  readonly name: CallName;
  /** Counts the calls of this name, from 1. */
  readonly nth: number;
  /** What the emulator answered, as gRPC counts it; 0 is OK. `undefined`: nothing yet. */
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

/** Between a client and the Firestore emulator: gRPC over HTTP/2 without TLS, with faults. */
export class FirestoreProxy {
  /** In order of arrival. */
  readonly calls: Call[] = [];
  readonly #server: Http2Server;
  readonly #upstream: ClientHttp2Session;
  readonly #sockets = new Set<Socket>();
  readonly #faults = new Map<string, CallFault>();
  readonly #news = new EventEmitter().setMaxListeners(0);

  private constructor(emulator: string) {
    this.#upstream = connect(`http://${emulator}`);
    this.#server = createServer();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('stream', (stream, headers) => {
      // A client that was killed or cut off takes its streams with it.
      stream.on('error', () => undefined);
      this.#serve(stream, headers).catch((error: Error) => stream.destroy(error));
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

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    // None of the calls that we use streams its requests.
    const body = await buffer(stream);
    const name = callName(String(headers[':path']), body);
    const call: Call = { name, nth: this.count(name) + 1, status: undefined };
    this.calls.push(call);
    this.#news.emit('news');
    const fault = this.#faults.get(`${name} ${call.nth}`) ?? {};

    await fault.before?.();
    if (fault.end === 'lost') return this.#cutOff(stream);
    const answer = await this.#forward(headers, body);
    call.status = Number((answer.trailers ?? answer.headers)['grpc-status']);
    this.#news.emit('news');
    await fault.applied?.();
    if (fault.end === 'hang') return;
    if (fault.end === 'cut') return this.#cutOff(stream);
    reply(stream, answer);
  }

  async #forward(headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    const request = this.#upstream.request(headers);
    let trailers: IncomingHttpHeaders | undefined;
    request.on('trailers', (found) => {
      trailers = found;
    });
    request.end(body);
    const [found] = (await once(request, 'response')) as [IncomingHttpHeaders];
    return { headers: found, body: await buffer(request), trailers };
  }

  /** The raw socket: to destroy the session would first send the client a goodbye. */
  #cutOff({ session }: ServerHttp2Stream): void {
    const port = session?.socket.remotePort;
    for (const socket of this.#sockets) if (socket.remotePort === port) socket.destroy();
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** `undefined`: the headers were all that came. */
  readonly trailers: IncomingHttpHeaders | undefined;
}

function reply(stream: ServerHttp2Stream, { headers, body, trailers }: Answer): void {
  if (stream.destroyed) return;
  if (trailers === undefined) {
    stream.respond(headers, { endStream: true });
  } else {
    stream.respond(headers, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  }
}
