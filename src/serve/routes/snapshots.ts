import type { FastifyInstance } from 'fastify';
import { toInterval } from '../../chart-img/intervals.js';
import { unknownInterval } from '../../chart-img/unknown-interval.js';
import { isSymbol } from '../../contracts/ids.js';
import { isSnapshotId } from '../../contracts/library.js';
import type { Snapshot } from '../../library/snapshots/snapshot.js';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';
import { HttpProblem } from '../problems.js';

const PATH = '/api/charts/snapshots';

/** Where a stored chart's picture is asked for. */
export function imagePath(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}/image`;
}

interface ListQuery {
  readonly symbol?: string;
  readonly timeframe?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** The history of stored charts. */
export function addSnapshots(app: FastifyInstance, deps: DoorDeps): void {
  const { library, inTurn } = deps;
  const { snapshots } = library;
  const params = {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string', description: 'Of a snapshot.' } },
  };

  const find = async (id: string): Promise<Snapshot> => {
    const snapshot = await snapshots.find(id);
    if (snapshot) return snapshot;
    throw noSuchChart(id);
  };

  app.get<{ Querystring: ListQuery }>(
    PATH,
    {
      schema: {
        operationId: 'listSnapshots',
        summary: 'Stored charts, newest first, page by page',
        querystring: LIST_QUERY,
        response: answers({ 200: json('SnapshotPage', 'One page.') }, 404, 422),
      },
    },
    ({ query }) =>
      inTurn(async () => {
        const { limit, cursor } = query;
        if (cursor !== undefined && !isSnapshotId(cursor as unknown)) {
          throw new HttpProblem('VALIDATION_FAILED', 'cursor: is none that a page before named');
        }
        const page = await snapshots.list(await filterOf(query, deps), { limit, cursor });
        return { snapshots: page.snapshots, next: page.next ?? null };
      }),
  );

  app.get<{ Params: { id: string } }>(
    `${PATH}/:id`,
    {
      schema: {
        operationId: 'getSnapshot',
        summary: 'All that is known of a stored chart',
        params,
        response: answers({ 200: json('Snapshot', 'The chart.') }, 404),
      },
    },
    ({ params: { id } }) => inTurn(() => find(id)),
  );

  app.get<{ Params: { id: string } }>(
    `${PATH}/:id/image`,
    {
      schema: {
        operationId: 'getSnapshotImage',
        summary: 'The picture of a stored chart',
        params,
        response: answers(
          { 200: PICTURE, 304: { description: 'It is the one of If-None-Match.', type: 'null' } },
          ...[404, 410],
        ),
      },
    },
    ({ params: { id }, headers }, reply) =>
      inTurn(async () => {
        const snapshot = await find(id);
        const etag = `"${snapshot.sha256}"`;
        reply.header('etag', etag).header('cache-control', 'private, max-age=86400');
        if (headers['if-none-match'] === etag) return reply.code(304).send();
        const png = await snapshots.image(snapshot);
        if (!png) throw new HttpProblem('PICTURE_GONE', `the picture is gone: ${snapshot.uri}`);
        return reply.type('image/png').send(Buffer.from(png));
      }),
  );

  app.delete<{ Params: { id: string }; Querystring: { force: boolean } }>(
    `${PATH}/:id`,
    {
      schema: {
        operationId: 'deleteSnapshot',
        summary: 'Remove a stored chart, picture and document',
        params,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            force: {
              type: 'boolean',
              default: false,
              description: 'Also a picture that a manifest still names.',
            },
          },
        },
        response: answers({ 204: { description: 'It is removed.', type: 'null' } }, 404, 409, 422),
      },
    },
    ({ params: { id }, query: { force } }, reply) =>
      inTurn(async () => {
        const removed = await snapshots.remove(id, { force });
        if (removed === 'absent') throw noSuchChart(id);
        if (removed === 'kept') {
          const message = 'a manifest still names its picture; force=true removes it all the same';
          throw new HttpProblem('SNAPSHOT_IN_USE', message);
        }
        return reply.code(204).send();
      }),
  );
}

const LIST_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    symbol: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'By its id, an alias or its name.',
    },
    timeframe: {
      type: 'string',
      minLength: 1,
      maxLength: 20,
      description: 'In any spelling of Chart-IMG’s intervals.',
    },
    limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 20 },
    cursor: {
      type: 'string',
      maxLength: 200,
      description: 'Go on after this one: the next that the page before named.',
    },
  },
} as const;

const PICTURE = {
  description: 'The picture.',
  content: { 'image/png': { schema: { type: 'string', contentMediaType: 'image/png' } } },
};

/** The symbol under the name that its charts bear. */
async function filterOf({ symbol, timeframe }: ListQuery, { library }: DoorDeps) {
  if (timeframe !== undefined && toInterval(timeframe) === undefined) {
    throw new HttpProblem('TIMEFRAME_INVALID', unknownInterval(timeframe));
  }
  if (symbol === undefined) return { timeframe };
  const known = await library.symbols.find(symbol);
  if (!known && !isSymbol(symbol as unknown)) {
    throw new HttpProblem('SYMBOL_NOT_FOUND', `${JSON.stringify(symbol)} is no known symbol`);
  }
  return { timeframe, symbol: known?.symbol ?? symbol };
}

function noSuchChart(id: string): HttpProblem {
  const shown = JSON.stringify(id.slice(0, 200));
  return new HttpProblem('SNAPSHOT_NOT_FOUND', `there is no chart ${shown}`);
}
