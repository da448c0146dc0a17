import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface FakeProxy {
  /** With a user and a password in it. */
  readonly url: string;
  /** `host:port` of each CONNECT. */
  readonly targets: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
  /** Every byte that callers sent, CONNECT and what went through the tunnel, as text. */
  readonly heard: string;
  /** Resolves at the next CONNECT. */
  asked(): Promise<void>;
  /** Resolves once no caller is connected. */
  disconnected(): Promise<void>;
  close(): Promise<void>;
}

/** A tunnel, whatever host was asked for, to this port of the loopback; or what it answers instead. */
export type Behaviour = { readonly port: number } | { readonly refuse: string } | 'hang';

export async function startFakeProxy(behaviour: Behaviour): Promise<FakeProxy> {
  const targets: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  let heard = '';
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      server.emit('caller-left');
    });
  });
  server.on('connect', (request: IncomingMessage, caller: Socket) => {
    targets.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    heard += JSON.stringify([request.url, request.rawHeaders]);
    server.emit('asked');
    // Who leaves is seen to leave only by who reads.
    if (behaviour === 'hang') return void caller.resume().once('end', () => caller.destroy());
    if ('refuse' in behaviour) {
      caller.end(behaviour.refuse);
      return;
    }
    caller.on('data', (bytes) => {
      heard += bytes.toString('latin1');
    });
    const service = connect(behaviour.port, '127.0.0.1', () => {
      caller.write('HTTP/1.1 200 Connection established\r\n\r\n');
      caller.pipe(service).pipe(caller);
    });
    service.on('error', () => caller.destroy());
    caller.once('close', () => service.destroy());
    service.once('close', () => caller.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const once = (event: string) => new Promise<void>((done) => server.once(event, () => done()));
  return {
    url: `http://user:pass%20word@127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    authorizations,
    get heard() {
      return heard;
    },
    asked: () => once('asked'),
    disconnected: async () => {
      while (sockets.size > 0) await once('caller-left');
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
