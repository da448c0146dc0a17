import { STATUS_CODES } from 'node:http';
import type { JsonObject } from '../contracts/documents.js';

/** Those that any request may get. */
const ALWAYS = [400, 401, 403, 429, 500, 503] as const;

/** The schemas of a route's answers: what is asked for, and the problems there may be. */
export function answers(right: JsonObject, ...problems: readonly number[]): JsonObject {
  const wrong = [...new Set([...problems, ...ALWAYS])].sort((a, b) => a - b);
  return { ...right, ...Object.fromEntries(wrong.map((status) => [status, problem(status)])) };
}

/** An answer whose body is this component. */
export function json(component: string, description: string): JsonObject {
  return { description, content: { 'application/json': { schema: { $ref: `${component}#` } } } };
}

function problem(status: number): JsonObject {
  const waits = status === 429 || status === 503;
  return {
    description: STATUS_CODES[status],
    ...(waits && { headers: { 'retry-after': { type: 'integer', description: 'Seconds.' } } }),
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
  };
}
