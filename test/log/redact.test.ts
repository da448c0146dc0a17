import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactJson, redactorFor } from '../../src/log/redact.js';

/** What a header can carry, with many characters that some encoding changes. */
const keys = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x21, max: 0x7e }),
      fc.constantFrom(0x22, 0x25, 0x2b, 0x2f, 0x3e, 0x5c, 0x7e),
    ),
    {
      minLength: 8,
      maxLength: 40,
    },
  )
  .map((codes) => String.fromCharCode(...codes));

const FORMS: Readonly<Record<string, (key: string) => string>> = {
  plain: (key) => key,
  'URL-encoded': encodeURIComponent,
  'URL-encoded in lower case': (key) =>
    encodeURIComponent(key).replaceAll(/%../g, (code) => code.toLowerCase()),
  'form-encoded': (key) => new URLSearchParams({ key }).toString().slice('key='.length),
  'quoted in JSON': (key) => JSON.stringify(key).slice(1, -1),
  base64: (key) => Buffer.from(key).toString('base64'),
  'base64 without padding': (key) => Buffer.from(key).toString('base64').replace(/=+$/, ''),
  base64url: (key) => Buffer.from(key).toString('base64url'),
  'base64url with padding': (key) =>
    Buffer.from(key).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
};

describe.each(Object.entries(FORMS))('a key, %s', (_form, formOf) => {
  test('does not survive in a text, however often it is there', () => {
    fc.assert(
      fc.property(keys, fc.array(fc.string(), { minLength: 2, maxLength: 4 }), (key, around) => {
        const text = around.join(formOf(key));
        expect(redactorFor([key])(text)).not.toContain(formOf(key));
      }),
    );
  });

  test.each(['aaaaaaaa', 'not/a+real?key&~~>>', 'ends-in-two=', '12345678'])(
    'is masked: %s',
    (key) => {
      expect(redactorFor([key])(`<${formOf(key)}>`)).toBe('<[key]>');
    },
  );
});

describe('of several keys', () => {
  test('none survives, also where one holds another', () => {
    fc.assert(
      fc.property(keys, keys, keys, (first, second, third) => {
        const all = [first, `${first}${second}`, `${third}${first}`];
        const text = all
          .flatMap((key) => Object.values(FORMS).map((formOf) => formOf(key)))
          .join(' ');
        const masked = redactorFor(all)(text);
        for (const key of all) {
          for (const formOf of Object.values(FORMS)) expect(masked).not.toContain(formOf(key));
        }
      }),
    );
  });

  test('the longest is masked whole', () => {
    expect(redactorFor(['abcdefgh', 'abcdefgh-more'])('abcdefgh-more abcdefgh')).toBe(
      '[key] [key]',
    );
  });
});

describe('nothing else is masked', () => {
  test('without keys, and of samples shorter than 8 characters', () => {
    const text = 'x marks 1234567';
    expect(redactorFor([])(text)).toBe(text);
    expect(redactorFor(['x', '1234567'])(text)).toBe(text);
  });

  test('of a text that holds no form of the key', () => {
    const redact = redactorFor(['not-a-real-key-0123456789']);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(redactJson(value, redact)).toEqual(value);
      }),
    );
  });
});

test('a JSON value keeps its shape', () => {
  const key = 'abcdefgh';
  const value = { a: [1, true, null, key], [key]: { b: `<${key}>` }, c: undefined };
  expect(redactJson(value, redactorFor([key]))).toEqual({
    a: [1, true, null, '[key]'],
    '[key]': { b: '<[key]>' },
  });
});
