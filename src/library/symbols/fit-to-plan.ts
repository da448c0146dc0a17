import { largestPlan, mostOf, type PlanName } from '../../accounts/plans.js';
import { needsOf } from '../../chart-img/chart-needs.js';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { shortNameOf } from './indicators.js';

/** Pixels, where nobody says how large; more than the smaller plans draw. */
export const DEFAULT_SIZE = { width: 1920, height: 1200 } as const;

/** A request as it can be drawn. */
export interface Fitted {
  readonly request: JsonObject;
  /** What was cut, one sentence each; empty: nothing was. */
  readonly notices: readonly string[];
}

/**
 * Pure: cuts size and studies to what the largest of the plans draws, the last studies first.
 * `plans` as `plansAtHand` has them; empty: nobody's limits are known, and nothing is cut.
 */
export function fitToPlan(request: JsonObject, plans: readonly PlanName[]): Fitted {
  const plan = largestPlan(plans);
  if (plan === undefined) return { request, notices: [] };
  const needs = needsOf(request);
  const most = mostOf(plan);
  const size = {
    width: Math.min(needs.width, most.width),
    height: Math.min(needs.height, most.height),
  };
  const studies = Array.isArray(request.studies) ? request.studies : [];
  const room = Math.max(0, studies.length - Math.max(0, needs.parameters - most.parameters));
  const left = studies.slice(room).map(nameOf);
  const notices: string[] = [];
  if (size.width < needs.width || size.height < needs.height) {
    const [drawn, asked] = [size, needs].map(({ width, height }) => `${width}×${height}`);
    notices.push(`drawn at ${drawn} instead of ${asked}: plan ${plan} draws no more`);
  }
  if (left.length > 0) {
    const limit = `plan ${plan} draws ${most.parameters} studies and drawings`;
    notices.push(`drawn without ${left.join(', ')}: ${limit}`);
  }
  if (notices.length === 0) return { request, notices };
  return {
    request: { ...request, ...size, ...(left.length > 0 && { studies: studies.slice(0, room) }) },
    notices,
  };
}

function nameOf(study: unknown): string {
  return isJsonObject(study) && typeof study.name === 'string'
    ? shortNameOf({ ...study, name: study.name })
    : 'a study';
}
