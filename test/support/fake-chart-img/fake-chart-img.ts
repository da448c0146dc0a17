import { EventEmitter } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Asked, draw, refuseAddress } from './answers.js';
import { CONTROL, control } from './control.js';
import { Faults, misbehave } from './faults.js';
import { type Counts, KeyDesk, utcDay } from './known-keys.js';
import type { KnownKey } from './plans.js';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** `(none)` when it bore none. */
  readonly apiKey: string;
  readonly day: string;
  /** By the fake's clock; epoch milliseconds. */
  readonly atMs: number;
  /** As text; empty until it has arrived. */
  body: string;
  /** What it was answered; 0: nothing yet, or a fault. */
  status: number;
}

export interface FakeChartImg {
  readonly url: string;
  /** Every request that reached it, also those refused and those that met a fault. */
  readonly counts: Counts;
  /** In order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** Resolves once as many requests have arrived. */
  arrived(count: number): Promise<void>;
  /** How many sockets were ever opened to it. */
  readonly connections: number;
  /** Resolves once no socket is open to it any more. */
  disconnected(): Promise<void>;
  /** Resolves once an endless answer has brought `bytesSent` to this. */
  sent(bytes: number): Promise<void>;
  /** What it wrote to its sockets, in all. */
  readonly bytesSent: number;
  readonly faults: Faults;
  /** From now on the clock goes on from here; what is in flight was counted before. */
  setClock(nowMs: number): void;
  close(): Promise<void>;
}

export interface FakeChartImgOptions {
  readonly keys: readonly KnownKey[];
  /** Of a chart, from the request's arrival; refusals come at once. */
  readonly latencyMs?: number;
  /** What a chart is long, about; by default a blank page's kilobyte. */
  readonly chartBytes?: number;
  /** Epoch milliseconds; by default the system's clock, until `setClock`. */
  readonly now?: () => number;
  /** PEM; with it the fake speaks https. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/**
 * Chart-IMG's v2 advanced chart on a free port of the loopback, stricter than the service: what it
 * does not know it refuses, and a day's limit is of requests, not of charts. It is the judge of what
 * was spent: it counts by key and UTC day whatever reaches it.
 */
export async function startFakeChartImg(options: FakeChartImgOptions): Promise<FakeChartImg> {
  const { keys, latencyMs = 0, chartBytes, tls } = options;
  let now = options.now ?? Date.now;
  const desk = new KeyDesk(keys);
  const faults = new Faults();
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const events = new EventEmitter().setMaxListeners(0);
  let connections = 0;
  let bytesOfClosed = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = request;
    if (path.startsWith(CONTROL)) {
      send(response, control(method, path, await buffer(request), fake));
      return;
    }
    const apiKey = String(headers['x-api-key'] ?? '(none)');
    const atMs = now();
    const seen: SeenRequest = {
      ...{ method, path, headers, apiKey, day: utcDay(atMs), atMs },
      ...{ body: '', status: 0 },
    };
    const number = desk.count(apiKey, atMs);
    requests.push(seen);
    const fault = faults.next(apiKey);
    const body = await buffer(request);
    seen.body = body.toString('utf8');
    events.emit('request');

    if (fault && fault.act !== 'delay' && fault.act !== 'cut') {
      return misbehave(response, fault, () => events.emit('sent'));
    }
    const asked = { method, path, headers, body };
    const answer =
      refuseAddress(asked) ?? answerTo(asked, desk.admit(apiKey, number, atMs), chartBytes);
    if (answer.status === 200) await sleep(latencyMs);
    if (fault?.act === 'delay') await sleep(fault.ms);
    seen.status = answer.status;
    if (fault?.act === 'cut') sendHalf(response, answer);
    else send(response, answer);
  };

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error: unknown) => {
      if (!request.destroyed) throw error;
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  // Who keeps a socket too long shall be found out: the fake never closes one that is idle.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      bytesOfClosed += socket.bytesWritten;
      sockets.delete(socket);
      events.emit('close');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const until = async (event: 'request' | 'sent' | 'close', isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((done) => events.once(event, done));
  };
  const fake: FakeChartImg = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get counts() {
      return desk.counts;
    },
    requests,
    arrived: (count) => until('request', () => requests.length >= count),
    get connections() {
      return connections;
    },
    disconnected: () => until('close', () => sockets.size === 0),
    sent: (bytes) => until('sent', () => fake.bytesSent >= bytes),
    get bytesSent() {
      return [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, bytesOfClosed);
    },
    faults,
    setClock: (nowMs) => {
      const offsetMs = nowMs - Date.now();
      now = () => Date.now() + offsetMs;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return fake;
}

function answerTo(asked: Asked, admitted: KnownKey | Answer, chartBytes?: number): Answer {
  return 'status' in admitted ? admitted : draw(asked, admitted, chartBytes);
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
}

function sendHalf(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
