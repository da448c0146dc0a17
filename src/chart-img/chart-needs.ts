import type { ChartNeeds } from '../accounts/plans.js';
import type { JsonObject } from '../contracts/documents.js';

/** Chart-IMG's own size where the template names none. */
const DEFAULT_SIZE = { width: 800, height: 600 };

/** What a template's request asks of a plan. Total: what is no number, or no list, asks for nothing. */
export function needsOf({ width, height, studies, drawings }: JsonObject): ChartNeeds {
  return {
    width: typeof width === 'number' ? width : DEFAULT_SIZE.width,
    height: typeof height === 'number' ? height : DEFAULT_SIZE.height,
    parameters: lengthOf(studies) + lengthOf(drawings),
  };
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}
