import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlanName } from '../../src/accounts/plans.js';
import { checkTemplate } from '../../src/chart-img/template-check.js';
import type { JsonObject } from '../../src/contracts/documents.js';

function template(request: JsonObject, fields: JsonObject = {}): JsonObject {
  const chartImgSymbolTemplate = 'BINANCE:{symbol}';
  return { id: 'x', description: 'about x', chartImgSymbolTemplate, request, ...fields };
}

/** Of one request, without plans. */
function checkOf(request: JsonObject, plans: readonly PlanName[] = []) {
  return checkTemplate(template(request), plans);
}

const NOTHING = { errors: [], warnings: [] };

describe('the plans at hand', () => {
  const studies = (count: number) => Array.from({ length: count }, () => ({ name: 'Volume' }));
  const drawings = Array.from({ length: 4 }, () => ({ name: 'Text' }));

  test.each<[string, JsonObject, PlanName[], readonly string[]]>([
    [
      'too small in width',
      { width: 801 },
      ['BASIC'],
      [
        'request.width: 801 is more than the 800 pixels of plan BASIC, the largest at hand; plan PRO would do',
      ],
    ],
    [
      'too small in height',
      { height: 1081 },
      ['PRO', 'BASIC'],
      [
        'request.height: 1081 is more than the 1080 pixels of plan PRO, the largest at hand; plan MEGA would do',
      ],
    ],
    [
      'too small for the studies and drawings together',
      { studies: studies(2), drawings },
      ['PRO'],
      [
        'request.studies: 6 studies and drawings are more than the 5 of plan PRO, the largest at hand; plan MEGA would do',
      ],
    ],
    [
      'too small for the drawings',
      { studies: [], drawings },
      ['BASIC'],
      [
        'request.drawings: 4 studies and drawings are more than the 3 of plan BASIC, the largest at hand; plan PRO would do',
      ],
    ],
    [
      'too small, as every plan is',
      { width: 2049 },
      ['ULTRA'],
      [
        'request.width: 2049 is more than the 2048 pixels of plan ULTRA, the largest at hand; no plan would do',
      ],
    ],
    [
      'large enough in one',
      { width: 1920, height: 1080, studies: studies(5) },
      ['BASIC', 'PRO'],
      [],
    ],
    ['just large enough', { width: 800, height: 600, studies: studies(3) }, ['BASIC'], []],
  ])('%s', (_what, request, plans, errors) => {
    expect(checkOf(request, plans)).toEqual({ errors, warnings: [] });
  });

  test('unknown: only what no plan draws is doubtful', () => {
    expect(checkOf({ width: 2048, height: 1920, studies: studies(50) })).toEqual(NOTHING);
    expect(checkOf({ width: 2049, studies: studies(51) })).toEqual({
      errors: [],
      warnings: [
        'request.width: 2049 is more than the 2048 pixels of plan ENTERPRISE, the largest there is',
        'request.studies: 51 studies and drawings are more than the 50 of plan ENTERPRISE, the largest there is',
      ],
    });
  });
});

describe('a template beyond reason', () => {
  test('has twenty findings spelt out, the rest counted', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => [`key${n}`, n]);
    const studies = Array.from({ length: 23 }, () => ({ name: 'x' }));
    const { errors, warnings } = checkOf({ ...Object.fromEntries(many), studies });
    expect(errors).toHaveLength(21);
    expect(errors.at(-1)).toBe('request: 3 more are not shown');
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe('request: 980 more are not shown');
  });

  test.each(['x', '😀'])('shows 60 characters of a name or a key of %s', (character) => {
    const long = character.repeat(70);
    const shown = `"${character.repeat(60)}…"`;
    const { errors, warnings } = checkOf({ [`${long}-`]: 1, studies: [{ name: long }] });
    expect(errors).toEqual([`request.studies[0].name: ${shown} is not a study of Chart-IMG`]);
    expect(warnings[0]).toContain(`${shown}]: is not a known key`);
  });

  test('cannot break a line, nor speak to the terminal', () => {
    const name = 'a\nb\u001b[31m\u2028\u009b1m';
    const { errors, warnings } = checkOf({ [name]: 1, studies: [{ name }] });
    const shown = '"a\uFFFDb\uFFFD[31m\uFFFD\uFFFD1m"';
    expect(errors).toEqual([`request.studies[0].name: ${shown} is not a study of Chart-IMG`]);
    expect(warnings[0]).toContain(`request[${shown}]: is not a known key`);
  });

  test.each([null, 7, 'x', [], {}, { request: 7 }])('such as %j is told so', (json) => {
    expect(checkTemplate(json, []).errors).toEqual([
      'chartImgSymbolTemplate: must hold {symbol}, as in BINANCE:{symbol}',
      'request: must be an object',
    ]);
  });

  test('is never thrown for, and each finding has its path', () => {
    const name = fc.constantFrom('Volume', 'MACD', 'Text', '__proto__', 'Volum\u2028', 7, null);
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(0, -1, 1e9, 'in_0'));
    const odd = fc.string({
      unit: fc.constantFrom('a', ':', ' ', '.', '\n', '\u2028', '\u009b', '😀'),
    });
    const key = fc.oneof(
      fc.string(),
      odd,
      fc.constantFrom('in_0', 'in_3', '__proto__', 'Plot.color'),
    );
    const record = (values: fc.Arbitrary<unknown>) =>
      fc.array(fc.tuple(key, values)).map((entries) => {
        // As JSON has it: `__proto__` is a key like any other.
        const fields = entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
        return JSON.parse(`{${fields.join(',')}}`) as JsonObject;
      });
    const entry = fc.record(
      { name, input: fc.oneof(record(value), value), override: fc.oneof(record(value), value) },
      { requiredKeys: [] },
    );
    const list = fc.oneof(fc.array(fc.oneof(entry, value)), value);
    const request = fc
      .tuple(
        record(value),
        fc.record(
          { width: value, height: value, studies: list, drawings: list },
          { requiredKeys: [] },
        ),
      )
      .map(([odd, usual]) => ({ ...odd, ...usual }));
    const symbols = fc.constantFrom('{symbol}', 'x', 7);
    const templates = fc.oneof(
      fc.jsonValue(),
      fc.record({ request: fc.oneof(request, value), chartImgSymbolTemplate: symbols }),
    );
    const plans = fc.subarray<PlanName>(['BASIC', 'PRO', 'MEGA', 'ULTRA', 'ENTERPRISE']);
    fc.assert(
      fc.property(templates, plans, (json, atHand) => {
        const { errors, warnings } = checkTemplate(json, atHand);
        for (const finding of [...errors, ...warnings]) {
          expect(finding).toMatch(/^(?:chartImgSymbolTemplate|request)(?:[.[].*)?: \S/);
          expect(finding).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});
