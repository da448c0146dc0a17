import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../log/logger.js';

/** One event a request; of the path its pattern, which holds nobody's text. */
export function tell(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const { method, id: requestId, routeOptions } = request;
  const { statusCode: status, problem } = reply;
  const route = routeOptions.url ?? null;
  const durationMs = Math.round(reply.elapsedTime);
  const error = problem && { code: problem.code, message: problem.message };
  const message = `${method} ${route ?? 'no such path'} ${status} in ${durationMs} ms`;
  const fields = { requestId, method, route, status, durationMs, ...(error && { error }) };
  if (status >= 500) logger.error('http_request', `${message}: ${error?.message}`, fields);
  else if (routeOptions.config.isOpen) logger.debug('http_request', message, fields);
  else logger.info('http_request', message, fields);
}
