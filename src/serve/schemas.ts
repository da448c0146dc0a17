import chartOrder from '../../schemas/chart_order.schema.json' with { type: 'json' };
import chartSnapshot from '../../schemas/chart_snapshot.schema.json' with { type: 'json' };
import chartSymbol from '../../schemas/chart_symbol.schema.json' with { type: 'json' };
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { PROBLEMS } from './problems.js';

const CODES = Object.keys(PROBLEMS).sort();

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const texts = list(text);

/** In JSON Schema's words, an object with these fields and no others; all but those of `optional` are there. */
function object(fields: JsonObject, optional: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(fields),
    properties: { ...fields, ...optional },
  };
}

function list(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

function orNull({ type, ...rest }: JsonObject): JsonObject {
  return { type: [type, 'null'], ...rest };
}

/** A document's schema under its title; what it defines beside itself are components of their own. */
function component(document: JsonObject): JsonObject {
  const { $schema, $id, $defs, ...schema } = document;
  const definitions = isJsonObject($defs) ? $defs : {};
  const json = JSON.stringify({ $id: schema.title, ...schema });
  return JSON.parse(
    json.replaceAll(/"#\/\$defs\/(\w+)"/g, (_, name: string) => {
      const definition = definitions[name];
      return JSON.stringify(`${isJsonObject(definition) ? definition.title : name}#`);
    }),
  );
}

const error = object({ code: { enum: CODES }, message: text }, { details: { type: 'object' } });
const favourites = object({
  charts: count,
  symbols: list(object({ name: text, charts: count })),
  timeframes: list(object({ name: text, charts: count })),
});
const snapshot = component(chartSnapshot);

/** What the paths refer to as `<$id>#`, and the OpenAPI document keeps under `components`. */
export const COMPONENTS: readonly (JsonObject & { readonly $id: string })[] = [
  { ...component(chartOrder), $id: 'ChartOrder' },
  { ...component(chartSymbol), $id: 'ChartSymbol' },
  { $id: 'Indicator', ...chartSymbol.$defs.indicator },
  {
    ...snapshot,
    $id: 'Snapshot',
    title: 'Snapshot',
    description: 'One stored chart.',
    required: ['id', ...chartSnapshot.required],
    properties: { id: chartSnapshot.$defs.id, ...chartSnapshot.properties },
  },
  {
    $id: 'Chart',
    description: 'What became of one symbol in one timeframe.',
    oneOf: [
      object({
        status: { const: 'stored' },
        symbol: text,
        timeframe: text,
        source: {
          description: 'cache: it was rendered before, at the snapshot’s generatedAt.',
          enum: ['chart-img', 'fixture', 'cache'],
        },
        notices: { description: 'What was cut to fit a plan, one sentence each.', ...texts },
        image: { description: 'The path of its picture.', ...text },
        snapshot: { $ref: 'Snapshot#' },
      }),
      object({ status: { const: 'refused' }, symbol: text, timeframe: text, error }),
    ],
  },
  {
    $id: 'GeneratedCharts',
    description: 'Symbols × timeframes, in that order.',
    ...object({ chartsCount: count, failuresCount: count, charts: list({ $ref: 'Chart#' }) }),
  },
  {
    $id: 'SnapshotPage',
    description: 'Newest first.',
    ...object({
      snapshots: list({ $ref: 'Snapshot#' }),
      next: { description: 'The cursor of the next page; null: there is none.', ...orNull(text) },
    }),
  },
  {
    $id: 'SymbolConfig',
    description: 'A symbol as the library knows it.',
    ...object({
      symbol: { description: 'Its id, whatever name it was asked for by.', ...text },
      origin: {
        description: 'starter: nobody wrote it; it comes with the package.',
        enum: ['stored', 'starter'],
      },
      config: { $ref: 'ChartSymbol#' },
    }),
  },
  {
    $id: 'Usage',
    description: 'What is left of each account today, and what is asked for most.',
    ...object({
      day: text,
      resetsAt: time,
      resetsInSeconds: count,
      accounts: list(
        object({
          id: text,
          configured: flag,
          plan: orNull(text),
          priority: orNull({ type: 'integer' }),
          used: orNull(count),
          limit: orNull(count),
          left: orNull(count),
          warnsFrom: orNull(count),
          stopsOnDemandAt: orNull(count),
          leftOnDemand: orNull(count),
          exhausted: flag,
          closed: orNull(text),
        }),
      ),
      total: object({ used: count, limit: count, left: count }),
      demand: object({ today: favourites, kept: favourites, complete: flag }),
    }),
  },
  {
    $id: 'Cleanup',
    description: 'What one run did, or would do.',
    ...object({
      expired: { description: 'Pictures that were deleted.', ...count },
      bytes: count,
      kept: { description: 'Expired, and still named by a manifest.', ...count },
      elsewhere: { description: 'Expired, in another bucket.', ...count },
      purged: { description: 'Documents that were deleted.', ...count },
      invalid: { description: 'Documents that are no snapshots, left alone.', ...count },
      dryRun: flag,
    }),
  },
  { $id: 'Health', ...object({ status: { enum: ['ok', 'ready'] } }) },
  {
    $id: 'Problem',
    description: 'RFC 9457, with a stable code.',
    ...object(
      { type: text, title: text, status: { type: 'integer' }, code: { enum: CODES }, detail: text },
      {
        details: { type: 'object' },
        errors: { description: 'path: message', ...texts },
        charts: list({ $ref: 'Chart#' }),
      },
    ),
  },
];
