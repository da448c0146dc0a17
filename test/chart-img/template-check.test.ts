import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlanName } from '../../src/accounts/plans.js';
import { CATALOGUES } from '../../src/chart-img/parameters/documented.js';
import { checkTemplate } from '../../src/chart-img/template-check.js';
import type { JsonObject } from '../../src/contracts/documents.js';

const FOLDER = new URL('../../fixtures/chart-templates/', import.meta.url);
const REFERENCE = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

function template(request: JsonObject, fields: JsonObject = {}): JsonObject {
  const chartImgSymbolTemplate = 'BINANCE:{symbol}';
  return { id: 'x', description: 'about x', chartImgSymbolTemplate, request, ...fields };
}

/** Of one request, without plans. */
function checkOf(request: JsonObject, plans: readonly PlanName[] = []) {
  return checkTemplate(template(request), plans);
}

const NOTHING = { errors: [], warnings: [] };

describe('the reference templates', () => {
  test('are five', () => expect(REFERENCE).toHaveLength(5));

  test.each(REFERENCE)('%s has no errors and no doubts, on the smallest plan too', (name) => {
    const reference: unknown = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
    expect(checkTemplate(reference, [])).toEqual(NOTHING);
    expect(checkTemplate(reference, ['BASIC'])).toEqual(NOTHING);
  });
});

describe('what is documented', () => {
  test('is as much as the documentation lists', () => {
    const { studies, drawings } = CATALOGUES;
    expect([studies.names().length, drawings.names().length]).toEqual([92, 15]);
    expect(studies.find('Aroon')).toEqual({
      input: { in_0: 14 },
      styleKeys: ['Lower', 'Upper'].flatMap((plot) =>
        ['color', 'linewidth', 'plottype', 'visible'].map((style) => `${plot}.${style}`),
      ),
    });
    expect(studies.find('Volume Profile Visible Range')?.styleKeys).toContain(
      'graphics.hhists.histBars2.colors.0',
    );
    expect(drawings.find('Trend Line')?.styleKeys).toContain('lineWidth');
  });

  test.each(['constructor', '__proto__', 'toString', ''])('is not %j', (name) => {
    for (const catalogue of Object.values(CATALOGUES)) expect(catalogue.find(name)).toBeUndefined();
  });

  test.each(Object.entries(CATALOGUES))('can be used in full: %s', (field, catalogue) => {
    for (const name of catalogue.names()) {
      const documented = catalogue.find(name);
      const override = Object.fromEntries(documented?.styleKeys.map((key) => [key, 1]) ?? []);
      const entry = { name, input: documented?.input, override };
      expect(checkOf({ [field]: [entry] }), name).toEqual(NOTHING);
    }
  });
});

describe('what Chart-IMG would refuse is an error:', () => {
  test.each<[string, JsonObject, readonly string[]]>([
    [
      'a study of another spelling',
      { studies: [{ name: 'Volume' }, { name: 'Bolinger Bands' }] },
      [
        'request.studies[1].name: "Bolinger Bands" is not a study of Chart-IMG; did you mean Bollinger Bands?',
      ],
    ],
    [
      'a study in the wrong case',
      { studies: [{ name: 'macd' }] },
      ['request.studies[0].name: "macd" is not a study of Chart-IMG; did you mean MACD?'],
    ],
    [
      'a study by its initials',
      { studies: [{ name: 'RSI' }] },
      [
        'request.studies[0].name: "RSI" is not a study of Chart-IMG; did you mean Relative Strength Index?',
      ],
    ],
    [
      'a study of nobody',
      { studies: [{ name: 'Elliott Wave' }] },
      ['request.studies[0].name: "Elliott Wave" is not a study of Chart-IMG'],
    ],
    [
      'a study that every object has',
      { studies: [{ name: 'constructor' }] },
      ['request.studies[0].name: "constructor" is not a study of Chart-IMG'],
    ],
    [
      'a drawing of another spelling',
      { drawings: [{ name: 'Trendline' }] },
      [
        'request.drawings[0].name: "Trendline" is not a drawing of Chart-IMG; did you mean Trend Line?',
      ],
    ],
    [
      'a drawing among the studies',
      { studies: [{ name: 'Trend Line' }] },
      ['request.studies[0].name: "Trend Line" is not a study of Chart-IMG'],
    ],
    [
      'entries without a name',
      { studies: [{}, { name: '' }, { name: 7 }, null, 'MACD'] },
      [
        'request.studies[0].name: is required',
        'request.studies[1].name: is required',
        'request.studies[2].name: is required',
        'request.studies[3]: must be an object',
        'request.studies[4]: must be an object',
      ],
    ],
    [
      'a size too small',
      { width: 399, height: 299 },
      [
        'request.width: 399 is less than 400, the least there is',
        'request.height: 299 is less than 300, the least there is',
      ],
    ],
    ['the smallest size: not', { width: 400, height: 300 }, []],
  ])('%s', (_what, request, errors) => {
    expect(checkOf(request)).toEqual({ errors, warnings: [] });
  });

  test.each([undefined, 7, '', 'BINANCE:BTCUSDT', 'BINANCE:{Symbol}'])(
    'the symbol template %j',
    (chartImgSymbolTemplate) => {
      expect(checkTemplate(template({}, { chartImgSymbolTemplate }), [])).toEqual({
        errors: ['chartImgSymbolTemplate: must hold {symbol}, as in BINANCE:{symbol}'],
        warnings: [],
      });
    },
  );
});

describe('what is doubtful is a warning:', () => {
  const study = (fields: JsonObject) => ({ studies: [{ name: 'Bollinger Bands', ...fields }] });
  const AT = 'request.studies[0]';

  test.each<[string, JsonObject, readonly string[]]>([
    [
      'inputs for input',
      study({ inputs: { in_0: 20 } }),
      [`${AT}.inputs: is not a known key; did you mean input?`],
    ],
    [
      'a misspelt key of the request',
      { studys: [] },
      ['request.studys: is not a known key; did you mean studies?'],
    ],
    [
      'a key of nobody',
      { bars_back: 90 },
      [
        'request.bars_back: is not a known key; known are symbol, interval, range, session, timezone, width, height, format, style, theme, …',
      ],
    ],
    [
      'forceOverlay of a drawing',
      { drawings: [{ name: 'Text', forceOverlay: true }] },
      ['request.drawings[0].forceOverlay: is not a known key; known are name, input, override'],
    ],
    [
      'a misspelt input',
      study({ input: { in0: 20 } }),
      [`${AT}.input.in0: is not a known key; did you mean in_0?`],
    ],
    [
      'an input of another study',
      study({ input: { length: 20 } }),
      [`${AT}.input.length: is not a known key; known are in_0, in_1`],
    ],
    [
      'an input that every object has',
      study({ input: { constructor: 1 } }),
      [`${AT}.input.constructor: is not a known key; known are in_0, in_1`],
    ],
    [
      'any input where none is documented',
      { studies: [{ name: 'Volume', input: { length: 20 } }] },
      [`${AT}.input.length: is not a known key; none is known here`],
    ],
    [
      'a misspelt style',
      study({ override: { 'Uper.color': 'red', 'Upper.color': 'red' } }),
      [`${AT}.override["Uper.color"]: is not a known key; did you mean Upper.color?`],
    ],
    [
      'a text for a number',
      study({ input: { in_0: '20', in_1: 2 } }),
      [`${AT}.input.in_0: is a string, where Chart-IMG's example has 20`],
    ],
    [
      'anything but a number',
      study({ input: { in_0: null, in_1: [2] } }),
      [
        `${AT}.input.in_0: is null, where Chart-IMG's example has 20`,
        `${AT}.input.in_1: is a list, where Chart-IMG's example has 2`,
      ],
    ],
    [
      'a number for a text',
      { studies: [{ name: 'MACD', input: { in_3: 4 } }] },
      [`${AT}.input.in_3: is a number, where Chart-IMG's example has "close"`],
    ],
    [
      'a text for a switch',
      { studies: [{ name: 'Keltner Channels', input: { in_0: 'true' } }] },
      [`${AT}.input.in_0: is a string, where Chart-IMG's example has true`],
    ],
    [
      'a price that is a text',
      { drawings: [{ name: 'Horizontal Line', input: { price: '9' } }] },
      [`request.drawings[0].input.price: is a string, where Chart-IMG's example has 16333`],
    ],
    ['other values: not', study({ input: { in_0: 7, in_1: 0.5 } }), []],
    ['the chart’s own override: not', { override: { showStudyLastValue: false } }, []],
    [
      'the keys that the worker sets: not',
      { symbol: 'A:B', interval: '1h', timezone: 'Etc/UTC', format: 'png' },
      [],
    ],
  ])('%s', (_what, request, warnings) => {
    expect(checkOf(request)).toEqual({ errors: [], warnings });
  });
});

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
