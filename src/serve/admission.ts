import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from './loopback.js';
import { HttpProblem } from './problems.js';

/** What a request has to show. Throws an `HttpProblem` for one that may not pass. */
export type Admission = (request: FastifyRequest) => void;

/** Only with the token, whoever asks. */
export function byToken(token: string): Admission {
  // Of one length whatever was sent, as the comparison wants it.
  const expected = digestOf(token);
  return ({ headers: { authorization = '' } }) => {
    const [, given] = /^Bearer +([^ ]+) *$/i.exec(authorization) ?? [];
    if (given !== undefined && timingSafeEqual(digestOf(given), expected)) return;
    const message =
      given === undefined ? 'send the header Authorization: Bearer <token>' : 'the token is wrong';
    throw new HttpProblem('UNAUTHORIZED', message);
  };
}

/**
 * Without a token: whoever works on this machine. Not so the pages that its browser shows: one of
 * another site may send requests here too, also under a name of its own that leads to this machine.
 */
export const fromThisMachine: Admission = ({ headers: { host = '', origin } }) => {
  if (isHere(`http://${host}`) && (origin === undefined || isHere(origin))) return;
  throw new HttpProblem(
    'FORBIDDEN',
    'without CHARTS_API_TOKEN only this machine is answered, under its own names',
  );
};

function isHere(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
