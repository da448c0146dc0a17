import type { FastifyInstance } from 'fastify';
import type { ChartOrder } from '../../contracts/documents.js';
import { MOST_CHARTS } from '../../library/check-order.js';
import type { Generated, LibraryError } from '../../library/library.js';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';
import { asProblemCode, HttpProblem } from '../problems.js';
import { imagePath } from './snapshots.js';

/** `POST /api/charts/generate`: charts on demand. */
export function addGenerate(app: FastifyInstance, { library, inTurn }: DoorDeps): void {
  const schema = {
    operationId: 'generateCharts',
    summary: 'Render charts, every symbol in every timeframe, or take them from the cache',
    body: { $ref: 'ChartOrder#' },
    response: answers(
      { 200: json('GeneratedCharts', 'At least one chart is there.') },
      ...[404, 409, 413, 415, 422, 502],
    ),
  };
  app.post<{ Body: ChartOrder }>('/api/charts/generate', { schema }, ({ body }) => {
    const most = body.symbols.length * body.timeframes.length;
    if (most > MOST_CHARTS) {
      const message = `${most} charts are more than the ${MOST_CHARTS} of one request`;
      throw new HttpProblem('VALIDATION_FAILED', message);
    }
    // Whoever asked may be gone by the end: the chart is in the cache when they ask again.
    return inTurn(async (signal) => answerTo(await library.generate(body, signal)));
  });
}

function answerTo(generated: readonly Generated[]) {
  const charts = generated.map(view);
  const errors = generated.flatMap((one) => (one.kind === 'refused' ? [one.error] : []));
  const [first] = errors;
  // A request that came to nothing is no success, whatever its parts were refused for.
  if (first && errors.length === generated.length) throw problemOf(first, charts);
  return {
    chartsCount: generated.length - errors.length,
    failuresCount: errors.length,
    charts,
  };
}

function view(one: Generated) {
  if (one.kind === 'refused') {
    const { symbol, timeframe, error } = one;
    const { code, message, details } = error;
    const told = { code: asProblemCode(code), message, ...(details && { details }) };
    return { status: 'refused', symbol, timeframe, error: told };
  }
  const { snapshot, source, notices } = one;
  const { id, symbol, timeframe } = snapshot;
  const image = imagePath(id);
  return { status: 'stored', symbol, timeframe, source, notices, image, snapshot };
}

function problemOf({ code, message, details }: LibraryError, charts: readonly unknown[]) {
  const { resetsAt } = details ?? {};
  const waitMs = typeof resetsAt === 'string' ? Date.parse(resetsAt) - Date.now() : Number.NaN;
  return new HttpProblem(asProblemCode(code), message, {
    details,
    charts,
    ...(waitMs > 0 && { retryAfterSeconds: Math.ceil(waitMs / 1_000) }),
  });
}
