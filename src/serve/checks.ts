import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { described } from '../contracts/validate.js';
import { Unfit } from './problems.js';
import { COMPONENTS } from './schemas.js';

const OPTIONS = {
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
} as const;
/** Of a hostile body: enough to see what is wrong. */
const MOST_ERRORS = 10;

/**
 * Requests and answers are held against the schemas that the OpenAPI document is made of. A body is
 * taken as it is; a query is text, of which numbers and booleans are made.
 */
export function addChecks(app: FastifyInstance): void {
  const exact = ajv({});
  const ofText = ajv({ coerceTypes: true, useDefaults: true });
  for (const component of COMPONENTS) app.addSchema(component);
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = (httpPart === 'body' ? exact : ofText).compile(schema as AnySchema);
    return (value: unknown) => {
      if (check(value)) return { value };
      return { error: new Unfit(described(check.errors ?? []).slice(0, MOST_ERRORS)) };
    };
  });
  app.setSerializerCompiler(({ schema, method, url }) => {
    const check = exact.compile(schema as AnySchema);
    return (value: unknown) => {
      if (check(value)) return JSON.stringify(value);
      const errors = described(check.errors ?? []).slice(0, MOST_ERRORS);
      throw new Error(`the answer to ${method} ${url} is not what it says: ${errors.join('; ')}`);
    };
  });
}

function ajv(more: { readonly coerceTypes?: boolean; readonly useDefaults?: boolean }): Ajv2020 {
  const made = new Ajv2020({ ...OPTIONS, ...more });
  addFormats.default(made, ['date-time']);
  for (const component of COMPONENTS) made.addSchema(component);
  return made;
}
