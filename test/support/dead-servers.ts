import { createServer as createHttpServer } from 'node:http';
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

/** What a server says, whatever it is asked. */
export interface StandingAnswer {
  readonly status: number;
  readonly body: string;
}

/** Gives every HTTP/1.1 request the same answer. */
export async function httpAnswering(
  { status, body }: StandingAnswer,
  onTestFinished: Cleanup,
): Promise<number> {
  const server = createHttpServer((request, response) => {
    request.resume();
    response.writeHead(status).end(body);
  });
  return served(server, onTestFinished);
}

const HTTP_STATUS = {
  NOT_FOUND: 404,
  PERMISSION_DENIED: 403,
  UNAUTHENTICATED: 401,
  UNAVAILABLE: 503,
} as const;

/** An error as Google's APIs tell it to a call that answers with a list. */
export function apiError(status: keyof typeof HTTP_STATUS, message: string): StandingAnswer {
  const code = HTTP_STATUS[status];
  return { status: code, body: JSON.stringify([{ error: { code, message, status } }]) };
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
