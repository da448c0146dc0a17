import type { FastifyInstance } from 'fastify';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';

/** For how long one look at the store serves whoever asks: nobody has to show a token for it. */
const LOOK_LASTS_MS = 2_000;

/** `GET /healthz` and `GET /readyz`, open to everybody. */
export function addHealth(app: FastifyInstance, { lookAtStore }: DoorDeps): void {
  const config = { isOpen: true };
  const security: [] = [];
  let look: { readonly at: number; readonly done: Promise<void> } | undefined;

  app.get(
    '/healthz',
    {
      config,
      schema: {
        operationId: 'getHealth',
        summary: 'The process answers',
        security,
        response: answers({ 200: json('Health', 'It does.') }),
      },
    },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      config,
      schema: {
        operationId: 'getReadiness',
        summary: 'The store answers too',
        security,
        response: answers({ 200: json('Health', 'It does.') }),
      },
    },
    async () => {
      const now = performance.now();
      if (!look || now - look.at > LOOK_LASTS_MS) look = { at: now, done: lookAtStore() };
      await look.done;
      return { status: 'ready' };
    },
  );
}
