import type { FastifyInstance } from 'fastify';
import type { PruneOptions } from '../../library/snapshots/prune.js';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';
import { HttpProblem } from '../problems.js';

/** `POST /api/charts/cleanup-expired`: what `charts prune` does. */
export function addCleanup(app: FastifyInstance, deps: DoorDeps): void {
  const { library, inTurn, timeoutMs } = deps;
  const choice = (description: string) => ({ type: 'boolean', default: false, description });
  const schema = {
    operationId: 'cleanupExpired',
    summary: 'Delete the pictures of expired charts; may be cut short and asked for again',
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        purge: choice('Also the documents of the charts whose pictures are gone.'),
        dryRun: choice('Say what would be deleted; write nothing.'),
        force: choice('Also a picture that a manifest still names.'),
      },
    },
    response: answers({ 200: json('Cleanup', 'What was done.') }, 413, 415, 422),
  };
  const path = '/api/charts/cleanup-expired';
  app.post<{ Querystring: PruneOptions }>(path, { schema }, ({ query }) =>
    inTurn(async (cut) => {
      const late = new HttpProblem('OVERLOADED', 'not done in time; ask again, it goes on');
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(late), timeoutMs);
      try {
        const signal = AbortSignal.any([cut, deadline.signal]);
        const report = await library.snapshots.prune(query, signal);
        return { ...report, dryRun: query.dryRun };
      } finally {
        clearTimeout(timer);
      }
    }),
  );
}
