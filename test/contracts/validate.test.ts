import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { validateFlowRun, validateRunSummary } from '../../src/contracts/published.js';
import {
  type Validated,
  validateAccounts,
  validateChartExportStep,
  validateChartTemplate,
  validateManifest,
} from '../../src/contracts/validate.js';

type Validate = (value: unknown) => Validated<unknown>;

function errorsOf(validate: Validate, value: unknown): string[] {
  const checked = validate(value);
  return checked.ok ? [] : checked.errors;
}

const STEP_ID = 'charts:1H:a';

function step(fields: JsonObject = {}): JsonObject {
  return {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { minImages: 1, requests: [{ chartTemplateId: 'a' }] },
    ...fields,
  };
}

function run(fields: JsonObject = {}, stepFields: JsonObject = {}): JsonObject {
  return {
    runId: '20251221-120000_BTCUSDT_demo',
    scope: { symbol: 'BTCUSDT' },
    steps: { [STEP_ID]: step(stepFields) },
    ...fields,
  };
}

describe('a sample file meets its schema', () => {
  const samples = ['flow-runs', 'chart-templates'].flatMap((folder) =>
    filesIn(folder).map((name) => [`${folder}/${name}`] as const),
  );

  test('there are samples of both kinds', () => {
    const folders = new Set(samples.map(([name]) => name.split('/')[0]));
    expect([...folders]).toEqual(['flow-runs', 'chart-templates']);
  });

  test.each(samples)('%s', (name) => {
    const validate = name.startsWith('flow-runs/') ? validateFlowRun : validateChartTemplate;
    const document: unknown = JSON.parse(readFileSync(inFixtures(name), 'utf8'));
    expect(validate(document)).toEqual({ ok: true, value: document });
  });
});

describe('errors', () => {
  test('name the path, odd names in quotes', () => {
    const requests = [{ chartTemplateId: 'a' }, { chartTemplateId: 7 }, {}];
    expect(errorsOf(validateFlowRun, run({}, { inputs: { requests } }))).toEqual([
      'steps["charts:1H:a"].inputs.requests[1].chartTemplateId: must be string',
      'steps["charts:1H:a"].inputs.requests[2].chartTemplateId: is required',
    ]);
  });

  test.each([
    ['plain_1$', 'steps.plain_1$.stepType: must be string'],
    ['a/b', 'steps["a/b"].stepType: must be string'],
    ['a~1b', 'steps["a~1b"].stepType: must be string'],
    ['a"b\n', 'steps["a\\"b\\n"].stepType: must be string'],
    ['', 'steps[""].stepType: must be string'],
    ['0x', 'steps["0x"].stepType: must be string'],
  ])('of step %j', (stepId, error) => {
    expect(errorsOf(validateFlowRun, run({ steps: { [stepId]: { stepType: 7 } } }))).toEqual([
      error,
    ]);
  });

  test('come all at once', () => {
    const wrong = run({ runId: 'x', scope: {} }, { status: 'DREAMING', timeframe: 60 });
    expect(errorsOf(validateFlowRun, wrong).sort()).toEqual([
      expect.stringMatching(/^runId: must match pattern/),
      'scope.symbol: is required',
      'steps["charts:1H:a"].status: must be one of PENDING, READY, RUNNING, SUCCEEDED, FAILED, SKIPPED, CANCELLED',
      'steps["charts:1H:a"].timeframe: must be string',
    ]);
  });

  test.each([[null], [[]], ['text'], [7]])('of %j speak of the document', (value) => {
    expect(errorsOf(validateFlowRun, value)).toEqual(['(document): must be object']);
  });

  test('are one line each, whatever came', () => {
    const validators: Validate[] = [validateFlowRun, validateChartTemplate, validateManifest];
    fc.assert(
      fc.property(fc.constantFrom(...validators), fc.jsonValue(), (validate, value) => {
        for (const error of errorsOf(validate, value)) {
          expect(error).toMatch(/^(\(document\)|[^\n]+?): [^\n]+$/);
        }
      }),
    );
  });
});

describe('a flow run', () => {
  test('needs these fields, of these types', () => {
    const required = ['runId', 'scope', 'steps'];
    for (const field of required) {
      const { [field]: _, ...rest } = run();
      expect(errorsOf(validateFlowRun, rest)).toEqual([`${field}: is required`]);
      expect(errorsOf(validateFlowRun, run({ [field]: 7 }))[0]).toMatch(`${field}: must be `);
      expect(errorsOf(validateFlowRun, run({ [field]: null }))[0]).toMatch(`${field}: must be `);
    }
  });

  test('is not failed by a field that nobody knows, wherever it stands', () => {
    const unknown = fc.dictionary(
      fc.string().map((name) => `x-${name}`),
      fc.jsonValue({ maxDepth: 1 }),
      { maxKeys: 3 },
    );
    fc.assert(
      fc.property(unknown, (more) => {
        const requests = [{ ...more, chartTemplateId: 'a' }];
        const value = {
          ...more,
          ...run({ scope: { ...more, symbol: 'X' }, trigger: more, schemaVersion: 99 }),
          steps: {
            [STEP_ID]: step({ ...more, outputs: more, inputs: { ...more, requests } }),
            'not:ours': { ...step(more), stepType: 'LLM_REPORT', status: 7, inputs: null },
          },
        };
        expect(errorsOf(validateFlowRun, value)).toEqual([]);
      }),
    );
  });
});

describe('a CHART_EXPORT step', () => {
  test.each(['stepType', 'status', 'timeframe', 'inputs'])('needs %s', (field) => {
    const { [field]: _, ...rest } = step();
    expect(errorsOf(validateChartExportStep, rest)).toEqual([`${field}: is required`]);
    const wrong = errorsOf(validateChartExportStep, step({ [field]: 7 }));
    expect(wrong).toEqual([expect.stringMatching(`^${field}: must be `)]);
  });

  test.each([
    [
      'minImages -1',
      { minImages: -1, requests: [{ chartTemplateId: 'a' }] },
      'inputs.minImages: must be >= 0',
    ],
    [
      'minImages 1.5',
      { minImages: 1.5, requests: [{ chartTemplateId: 'a' }] },
      'inputs.minImages: must be integer',
    ],
    [
      'minImages "1"',
      { minImages: '1', requests: [{ chartTemplateId: 'a' }] },
      'inputs.minImages: must be integer',
    ],
    ['requests absent', {}, 'inputs.requests: is required'],
    ['requests an object', { requests: {} }, 'inputs.requests: must be array'],
    ['no request', { requests: [] }, 'inputs.requests: must NOT have fewer than 1 items'],
    [
      '65 requests',
      { requests: requestsOf(65) },
      'inputs.requests: must NOT have more than 64 items',
    ],
    ['a request that is a name', { requests: ['a'] }, 'inputs.requests[0]: must be object'],
  ])('with %s is wrong', (_what, inputs, error) => {
    expect(errorsOf(validateChartExportStep, step({ inputs }))).toEqual([error]);
  });

  test('may leave minImages out, and ask for 64 charts', () => {
    expect(validateChartExportStep(step({ inputs: { requests: requestsOf(64) } })).ok).toBe(true);
  });
});

describe('other documents', () => {
  test.each<[string, JsonObject]>([
    ['description', { description: '' }],
    ['chartImgSymbolTemplate', { chartImgSymbolTemplate: 'BINANCE:BTC' }],
    ['id', { id: 'a/b' }],
    ['request.width', { request: { width: 0 } }],
    ['request.height', { request: { height: '600' } }],
    ['request.studies[0].name', { request: { studies: [{}] } }],
  ])('a template may have its %s wrong', (path, fields) => {
    const template = { id: 'a', description: 'd', chartImgSymbolTemplate: '{symbol}', request: {} };
    expect(validateChartTemplate(template).ok).toBe(true);
    const [error, ...more] = errorsOf(validateChartTemplate, { ...template, ...fields });
    expect(error?.slice(0, path.length + 2)).toBe(`${path}: `);
    expect(more).toEqual([]);
  });

  test('accounts may hold fields that nobody knows', () => {
    expect(validateAccounts([{ id: 'a', apiKey: 'k', note: 'mine' }]).ok).toBe(true);
  });

  test('a manifest and a summary may not', () => {
    expect(errorsOf(validateManifest, { signed_url: 'x' })).toContain(
      'signed_url: is not a known field',
    );
    expect(errorsOf(validateRunSummary, { extra: 1 })).toContain('extra: is not a known field');
    expect(errorsOf(validateManifest, { schemaVersion: 2 })).toContain('schemaVersion: must be 1');
  });
});

function requestsOf(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, n) => ({ chartTemplateId: `t${n}` }));
}

function inFixtures(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

function filesIn(folder: string): string[] {
  return readdirSync(inFixtures(folder)).filter((name) => name.endsWith('.json'));
}
