import { readdirSync, readFileSync } from 'node:fs';
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
