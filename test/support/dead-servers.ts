import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Cleanup = (undo: () => Promise<void>) => void;

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Accepts every connection and never says a word. */
export async function blackHole(onTestFinished: Cleanup): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  return served(server, onTestFinished);
}

/** Answers 503 to every HTTP/1.1 request. */
export async function http503(onTestFinished: Cleanup): Promise<number> {
  const server = createHttpServer((request, response) => {
    request.resume();
    response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service Unavailable</h1>');
  });
  return served(server, onTestFinished);
}

/** Answers every call over HTTP/2 with these headers and nothing else. */
export async function http2Answering(
  headers: Readonly<Record<string, string | number>>,
  onTestFinished: Cleanup,
): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ...headers }, { endStream: true });
  });
  return served(server as Server, onTestFinished);
}

/** A gRPC answer without a message, as servers give it for an error. */
export function grpcError(code: number, message: string): Record<string, string | number> {
  return {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': code,
    'grpc-message': encodeURIComponent(message),
  };
}

/** A TCP proxy that can be lost: `silence` keeps its connections and lets nothing through. */
export class LosableProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;
  #port = 0;

  private constructor(targetHost: string) {
    const [host = '', port] = targetHost.split(':');
    this.#server = createServer((near) => {
      this.#keep(near);
      if (this.#isSilent) return;
      const far = connect(Number(port), host);
      this.#keep(far);
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }

  static async open(targetHost: string, onTestFinished: Cleanup): Promise<LosableProxy> {
    const proxy = new LosableProxy(targetHost);
    proxy.#port = await listening(proxy.#server);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Nobody listens any more. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

async function served(server: Server, onTestFinished: Cleanup): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return listening(server);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
