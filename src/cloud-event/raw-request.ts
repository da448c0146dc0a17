import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { EventMessage } from './flow-run-event.js';

/** As it was sent, by request. */
const contentTypes = new WeakMap<object, string>();

/**
 * From now on every request's body comes as the bytes it is. The framework would parse it before it
 * asks us, answer what is not JSON with 400 and a stack trace, and have it delivered again and again.
 */
export function keepBodiesRaw(): void {
  subscribe('http.server.request.start', (message) => {
    const { headers } = (message as { readonly request: IncomingMessage }).request;
    contentTypes.set(
      (message as { readonly request: object }).request,
      headers['content-type'] ?? '',
    );
    headers['content-type'] = 'application/octet-stream';
    delete headers['content-encoding'];
  });
}

export function rawMessage(request: IncomingMessage & { readonly body?: unknown }): EventMessage {
  const { headers, body } = request;
  return {
    headers: { ...headers, 'content-type': contentTypes.get(request) ?? headers['content-type'] },
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  };
}
