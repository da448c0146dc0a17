import { basename, join, resolve, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFileName, encodeFileName } from '../../src/local-disk/file-names.js';

const hostile = [
  '.',
  '..',
  '../../etc/passwd',
  '/',
  '\\',
  'a/b',
  '%2E%2E',
  '%',
  '\0',
  '.x.meta.json',
];
const names = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', ':', '2', 'E', 'F'), minLength: 1 }),
  fc.constantFrom(...hostile),
);

describe('file names', () => {
  test('every name comes back', () => {
    fc.assert(fc.property(names, (name) => decodeFileName(encodeFileName(name)) === name));
  });

  test('two names never share a file', () => {
    fc.assert(
      fc.property(names, names, (a, b) => a === b || encodeFileName(a) !== encodeFileName(b)),
    );
  });

  test('a name is one visible file in its folder, of harmless characters', () => {
    fc.assert(
      fc.property(names, (name) => {
        const fileName = encodeFileName(name);
        expect(fileName).toMatch(/^(?!\.)(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+$/);
        expect(basename(fileName)).toBe(fileName);
        expect(resolve('folder', fileName)).toBe(`${resolve('folder')}${sep}${fileName}`);
        expect(join('folder', fileName)).toBe(`folder${sep}${fileName}`);
      }),
    );
  });

  test('a file that no name makes is nobody’s', () => {
    fc.assert(
      fc.property(names, (fileName) => {
        const name = decodeFileName(fileName);
        return name === undefined || encodeFileName(name) === fileName;
      }),
    );
    for (const fileName of [
      '.hidden',
      '..',
      'a:b',
      'a%2eb',
      'a%2Eb',
      '%',
      '%zz',
      '%C3',
      'a b',
      '%41',
    ]) {
      expect(decodeFileName(fileName), fileName).toBeUndefined();
    }
  });

  test('plain names stay readable', () => {
    expect(encodeFileName('20251221-120000_BTCUSDT_demo.v1')).toBe(
      '20251221-120000_BTCUSDT_demo.v1',
    );
    expect(encodeFileName('charts:1H:ctpl_x')).toBe('charts%3A1H%3Actpl_x');
    expect(encodeFileName("a!'()*~b")).toBe('a%21%27%28%29%2A%7Eb');
    expect(encodeFileName('..')).toBe('%2E.');
  });
});
