import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, answer, failure, json, Violation } from './answers.js';
import { control } from './control.js';
import { type Fault, Faults } from './faults.js';
import { ObjectStore, type StoredObject } from './object-store.js';
import { parseRoute, type RequestKind, type Route } from './routes.js';

export interface FakeStorage {
  readonly url: string;
  /** In order of arrival, those included that met a fault. */
  readonly requests: readonly Route[];
  count(kind?: RequestKind): number;
  /** Resolves once as many requests of a kind have arrived. */
  arrived(kind: RequestKind, count: number): Promise<void>;
  /** What a caller did that ours must never do; assert that it is empty. */
  readonly violations: readonly string[];
  readonly faults: Faults;
  /** What the caller may do; change it at will. */
  readonly permissions: Set<string>;
  objects(bucket: string): readonly StoredObject[];
  close(): Promise<void>;
}

export interface FakeStorageOptions {
  readonly buckets: readonly string[];
  /** When given, each request must bear it. */
  readonly token?: string;
}

/**
 * Cloud Storage's JSON API on a free port of the loopback, as far as this project speaks it, and
 * stricter: what it does not know is a violation, answered with 500, and never ignored.
 */
export async function startFakeStorage({
  buckets,
  token,
}: FakeStorageOptions): Promise<FakeStorage> {
  const store = new ObjectStore(buckets);
  const permissions = new Set(
    ['create', 'delete', 'get', 'list'].map((verb) => `storage.objects.${verb}`),
  );
  const requests: Route[] = [];
  const violations: string[] = [];
  const faults = new Faults();
  const arrivals = new EventEmitter().setMaxListeners(0);
  const count = (kind?: RequestKind) =>
    requests.filter((request) => kind === undefined || request.kind === kind).length;

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { method = '', url = '', headers } = request;
    if (url.startsWith('/__fake/')) return send(response, control(method, url, body, fake));
    const route = parseRoute(method, url);
    if ('wrong' in route) throw new Violation(route.wrong);
    requests.push(route);
    const fault = faults.next(route.kind);
    arrivals.emit('request');

    if (isLost(fault, 'before')) return lose(request, fault);
    if (fault?.act === 'refuse') return send(response, refusal(fault));
    if (fault?.act === 'answer') return send(response, json(fault.status, fault.json));
    if (fault?.act === 'delay') await sleep(fault.ms);
    if (fault?.act === 'hook' && fault.when === 'before') await fault.hook();
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) {
      return send(response, failure(401, 'authError', 'Invalid Credentials'));
    }
    const corrupt = fault?.act === 'corrupt';
    const result = answer({ route, headers, body, corrupt }, { store, permissions });
    if (isLost(fault, 'after')) return lose(request, fault);
    if (fault?.act === 'hook' && fault.when === 'after') await fault.hook();
    if (fault?.act === 'cut') return sendHalf(response, result);
    send(response, result);
  };

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (request.destroyed && !(error instanceof Violation)) return;
      const message = error instanceof Error ? error.message : String(error);
      violations.push(message);
      send(response, failure(500, 'violation', message));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const fake: FakeStorage = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    count,
    arrived: async (kind, wanted) => {
      while (count(kind) < wanted) await new Promise((done) => arrivals.once('request', done));
    },
    violations,
    faults,
    permissions,
    objects: (bucket) => [...(store.bucket(bucket)?.values() ?? [])],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

function isLost(
  fault: Fault | undefined,
  when: 'before' | 'after',
): fault is Extract<Fault, { act: 'close' | 'hang' }> {
  return (fault?.act === 'close' || fault?.act === 'hang') && fault.when === when;
}

function lose(request: IncomingMessage, fault: Extract<Fault, { act: 'close' | 'hang' }>): void {
  if (fault.act === 'close') request.socket.destroy();
}

function refusal({ status, message, reason, html }: Extract<Fault, { act: 'refuse' }>): Answer {
  return html === undefined
    ? failure(status, reason ?? 'fault', message ?? `fault ${status}`)
    : { status, headers: { 'content-type': 'text/html' }, body: Buffer.from(html) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = status === 204 ? {} : { 'content-length': body.length };
  response.writeHead(status, { ...headers, ...length }).end(body);
}

function sendHalf(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
