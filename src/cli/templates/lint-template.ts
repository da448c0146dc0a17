import { PLAN_NAMES, type PlanName } from '../../accounts/plans.js';
import { checkTemplate, excessOf } from '../../chart-img/template-check.js';
import { isJsonObject } from '../../contracts/documents.js';
import { isChartTemplateId } from '../../contracts/ids.js';
import { validateChartTemplate } from '../../contracts/validate.js';

/** What is known of one template before Chart-IMG is asked; each finding is `path: message`. */
export interface LintedTemplate {
  /** It draws nowhere: the schema, a study that does not exist, more than any plan draws. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** It draws on some plans alone. */
  readonly limits: readonly string[];
  /** Those that draw it. */
  readonly plans: readonly PlanName[];
}

/** Pure, and total. `id`: the one that a run would ask for; `undefined`: any. */
export function lintTemplate(template: unknown, id: string | undefined): LintedTemplate {
  const checked = validateChartTemplate(template);
  const errors = checked.ok ? [] : [...checked.errors];
  const told = new Set(errors.map(pathOf));
  const own = isJsonObject(template) ? template.id : undefined;
  if (typeof own === 'string' && !told.has('id')) {
    if (!isChartTemplateId(own)) errors.push('id: is not allowed');
    else if (id !== undefined && own !== id) {
      errors.push(`id: must be ${id}, as the name says, not ${own}`);
    }
  }
  // The schema has said it already, in fewer words.
  const check = checkTemplate(template, PLAN_NAMES);
  if (isJsonObject(template)) {
    errors.push(...check.errors.filter((error) => !told.has(pathOf(error))));
  }
  const request = isJsonObject(template) ? template.request : undefined;
  const plans =
    errors.length > 0 ? [] : PLAN_NAMES.filter((plan) => excessOf(request, plan).length === 0);
  return {
    errors,
    warnings: check.warnings,
    limits: errors.length > 0 ? [] : limitsOf(request),
    plans,
  };
}

/** For each respect in which some plan is too small: what they draw, the smallest first. */
function limitsOf(request: unknown): string[] {
  const excesses = PLAN_NAMES.flatMap((plan) =>
    excessOf(request, plan).map((excess) => ({ ...excess, plan })),
  );
  return [...new Set(excesses.map(({ need }) => need))].map((wanted) => {
    const all = excesses.filter(({ need }) => need === wanted);
    const [first] = all;
    const most = all.map(({ plan, most }) => `${most} of ${plan}`).join(', ');
    return wanted === 'parameters'
      ? `${first?.path}: ${first?.asked} studies and drawings are more than the ${most}`
      : `${first?.path}: ${first?.asked} pixels are more than the ${most}`;
  });
}

/** The path of a finding, whose quoted keys may hold anything. */
function pathOf(finding: string): string {
  return /^(?:[^:"]|"(?:[^"\\]|\\.)*")*/.exec(finding)?.[0] ?? finding;
}
