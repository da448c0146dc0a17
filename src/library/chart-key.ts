import { createHash } from 'node:crypto';
import type { ChartSource } from '../chart-img/chart-provider.js';
import type { RenderableChart } from '../engine/plan.js';

/** Where pictures come from: the provider's endpoint, or the folders of the fixtures. */
export type Origins = Readonly<Record<ChartSource, string>>;

/**
 * What tells one picture from another: the whole body of the request and who draws it; never a key
 * or an account. A hash, so that it can name documents.
 */
export function chartKey({ request, foresight }: RenderableChart, origins: Origins): string {
  const origin = origins[foresight.source];
  return createHash('sha256').update(`${request.requestHash} ${origin}`).digest('hex');
}
