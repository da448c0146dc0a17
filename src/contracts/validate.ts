import type {
  Accounts,
  ChartExportStep,
  ChartsOutputsManifest,
  ChartTemplate,
} from './documents.js';
import * as compiled from './generated/validators.js';
import { childPath } from './json-path.js';

/** A value that met its schema, or every reason why it did not, each as `path: message`. */
export type Validated<T> = { ok: true; value: T } | { ok: false; errors: string[] };

export const validateChartExportStep = validator<ChartExportStep>(compiled.chartExportStep);
export const validateChartTemplate = validator<ChartTemplate>(compiled.chartTemplate);
export const validateAccounts = validator<Accounts>(compiled.accounts);
export const validateManifest = validator<ChartsOutputsManifest>(compiled.manifest);

/** As Ajv tells it. */
export interface SchemaError {
  instancePath: string;
  keyword: string;
  message?: string;
  params: Record<string, unknown>;
}

interface CompiledValidator {
  (value: unknown): boolean;
  errors?: SchemaError[] | null;
}

/** A compiled schema as a check that tells all that is wrong. */
export function validator<T>(compiledValidator: unknown): (value: unknown) => Validated<T> {
  const validate = compiledValidator as CompiledValidator;
  return (value) =>
    validate(value)
      ? { ok: true, value: value as T }
      : { ok: false, errors: described(validate.errors ?? []) };
}

/** In words, each once, as `path: message`. */
export function described(errors: readonly SchemaError[]): string[] {
  return [...new Set(errors.flatMap(describe))];
}

/** `if` only says that its `then` failed, which has errors of its own. */
function describe(error: SchemaError): string[] {
  const { keyword, params } = error;
  switch (keyword) {
    case 'if':
      return [];
    case 'required':
      return [`${pathOf(error, String(params.missingProperty))}: is required`];
    case 'additionalProperties':
      return [`${pathOf(error, String(params.additionalProperty))}: is not a known field`];
    case 'enum':
      return [`${pathOf(error)}: must be one of ${(params.allowedValues as unknown[]).join(', ')}`];
    case 'const':
      return [`${pathOf(error)}: must be ${JSON.stringify(params.allowedValue)}`];
    default:
      return [`${pathOf(error)}: ${error.message ?? 'is not valid'}`];
  }
}

/** `/steps/charts:1H:a/inputs/requests/0` → `steps["charts:1H:a"].inputs.requests[0]`. */
function pathOf(error: SchemaError, property?: string): string {
  const segments = error.instancePath
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (property !== undefined) segments.push(property);
  if (segments.length === 0) return '(document)';
  return segments.reduce(childPath, '');
}
