import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { JsonObject } from '../contracts/documents.js';

/** Before the routes: it looks at each as it is added. */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'worker-chart-export',
        summary: 'A library of charts: on demand, from a cache, with their history.',
        version: '1.0.0',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
  });
}

/** The document, once all routes are there. */
export function openApiOf(app: FastifyInstance): JsonObject {
  return { ...app.swagger() };
}
