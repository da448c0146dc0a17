import { type AddressInfo, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ConfigError } from '../failures.js';

/** Resolves to the URL. Rejects with `ConfigError` where nobody may listen. */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    // Fastify would make a second server for the other family, which nobody could cut.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = WHY_NOT[code];
    if (reason === undefined) throw error;
    throw new ConfigError(`${host}:${port} cannot be listened on: ${reason}`);
  }
  const { address, port: actual } = app.server.address() as AddressInfo;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${actual}`;
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process does already; name another port with --port',
  EACCES: 'permission denied; name a port from 1024 on with --port',
  EADDRNOTAVAIL: 'this machine has no such address; name another with --host',
  ENOTFOUND: 'the host name is unknown; name another with --host',
  EAI_AGAIN: 'the host name could not be looked up; name another with --host',
};
