import { checkAccounts } from '../../config/accounts.js';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { isStepId } from '../../contracts/ids.js';
import { validateManifest } from '../../contracts/validate.js';
import { counted } from '../../counted.js';
import { addressRun, quoted, type Run, stepOf } from '../../engine/flow-run.js';
import { checkInputs } from '../../engine/plan.js';
import { lintTemplate } from '../templates/lint-template.js';
import type { Kind } from './kinds.js';

/** All that can be said of one document; each finding is `path: message`. */
export interface CheckedDocument {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** What is right about it, for people. */
  readonly facts: string;
}

/** Pure, and total. */
export function checkDocument(kind: Kind, document: unknown): CheckedDocument {
  switch (kind) {
    case 'flow run':
      return checkFlowRun(isJsonObject(document) ? document : {});
    case 'chart template':
      return checkChartTemplate(document);
    case 'accounts': {
      const { accounts, problems, warnings } = checkAccounts(document);
      return { errors: problems, warnings, facts: counted(accounts.length, 'account') };
    }
    case 'manifest':
      return checkManifest(document);
    default:
      return kind satisfies never;
  }
}

/** As a worker would find it: what stops the run, then each of its CHART_EXPORT steps. */
function checkFlowRun(data: JsonObject): CheckedDocument {
  const errors: string[] = [];
  const warnings: string[] = [];
  let run = addressRun(data, undefined);
  if ('reason' in run) {
    errors.push(run.message);
    // What else is wrong does not depend on the id.
    run = addressRun({ ...data, runId: STAND_IN }, undefined);
    if ('reason' in run && !errors.includes(run.message)) errors.push(run.message);
  }
  if ('reason' in run) return { errors, warnings, facts: '' };

  let ours = 0;
  for (const stepId of Object.keys(run.steps)) {
    const at = `steps[${JSON.stringify(stepId)}]`;
    const step = stepOf(run, stepId);
    if (step?.stepType !== 'CHART_EXPORT') {
      if (typeof step?.stepType !== 'string') {
        warnings.push(`${at}.stepType: is missing; the step is passed over`);
      }
      continue;
    }
    ours += 1;
    if (!isStepId(stepId)) errors.push(`${at}: the id is not allowed; the step is never done`);
    const inputs = checkInputs(run, stepId);
    if ('problems' in inputs) errors.push(...inputs.problems);
    warnings.push(...absentDependencies(run, stepId, step, at));
  }
  if (ours === 0) warnings.push('steps: none is a CHART_EXPORT, there is nothing for this worker');
  const facts = `${counted(ours, 'CHART_EXPORT step')}`;
  // The symbol is every step's.
  return { errors: [...new Set(errors)], warnings, facts };
}

/** A right run id. */
const STAND_IN = '20000101-000000_X_none';

function absentDependencies(run: Run, stepId: string, step: JsonObject, at: string): string[] {
  const { dependsOn } = step;
  if (!Array.isArray(dependsOn)) return [];
  return dependsOn.flatMap((dependency: unknown, index) => {
    // Of anything else the schema has said it.
    if (typeof dependency !== 'string') return [];
    const path = `${at}.dependsOn[${index}]`;
    if (dependency === stepId) return [`${path}: is the step itself, which blocks it`];
    if (stepOf(run, dependency)) return [];
    return [
      `${path}: ${quoted(dependency)} is not in the run, which blocks the step unless --step-id names it`,
    ];
  });
}

function checkChartTemplate(document: unknown): CheckedDocument {
  const { errors, warnings, limits, plans } = lintTemplate(document, undefined);
  const [plan] = plans;
  const facts = plan === 'BASIC' ? 'any plan draws it' : `plan ${plan} or larger draws it`;
  return { errors, warnings: [...limits, ...warnings], facts };
}

/** Also what no schema can say: each chart asked for came, or failed. */
function checkManifest(document: unknown): CheckedDocument {
  const checked = validateManifest(document);
  if (!checked.ok) return { errors: checked.errors, warnings: [], facts: '' };
  const { requested, items, failures } = checked.value;
  const asked = requested.map(({ chartTemplateId }) => chartTemplateId);
  const came = [
    ...items.map(({ chartTemplateId: id }, at) => ({ id, path: `items[${at}].chartTemplateId` })),
    ...failures.map(({ request: { chartTemplateId: id } }, at) => {
      return { id, path: `failures[${at}].request.chartTemplateId` };
    }),
  ];
  const errors = [
    ...asked.flatMap((id, index) =>
      came.some((one) => one.id === id)
        ? []
        : [`requested[${index}]: ${quoted(id)} is neither in items nor in failures`],
    ),
    ...came.flatMap(({ id, path }, index) => {
      if (!asked.includes(id)) return [`${path}: ${quoted(id)} is not in requested`];
      const isTwice = came.findIndex((one) => one.id === id) < index;
      return isTwice ? [`${path}: ${quoted(id)} is there twice`] : [];
    }),
  ];
  const facts = `${counted(items.length, 'item')}, ${counted(failures.length, 'failure')}`;
  return { errors, warnings: [], facts };
}
