import type { Socket } from 'node:net';
import { HttpProblem } from './problems.js';

/** What came over the socket is no HTTP, or came too slowly; there is no request to answer. */
export function answerNoRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = new HttpProblem('MALFORMED_REQUEST', `this is no request: ${error.code}`);
  const body = JSON.stringify(problem.body());
  socket.end(
    [
      `HTTP/1.1 ${problem.status} Bad Request`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
