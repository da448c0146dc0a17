import type { FastifyInstance } from 'fastify';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';

/** `GET /api/charts/usage`. */
export function addUsage(app: FastifyInstance, { library, inTurn }: DoorDeps): void {
  const schema = {
    operationId: 'getUsage',
    summary: 'What is left of each account today, and what is asked for most',
    response: answers({ 200: json('Usage', 'By the store’s clock.') }),
  };
  app.get('/api/charts/usage', { schema }, () => inTurn(() => library.usage()));
}
