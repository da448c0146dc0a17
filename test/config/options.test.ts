import { describe, expect, test } from 'vitest';
import { ENV_ALONE, OPTIONS } from '../../src/config/options.js';

describe('an option', () => {
  test.each(OPTIONS.map(({ flag, name }) => [flag, name]))(
    '%s is put where it is looked for',
    (flag, name) => {
      const [long = ''] = flag.split(' ');
      expect(long).toMatch(/^--[a-z]+(-[a-z]+)*$/);
      expect(
        long.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      ).toBe(name);
    },
  );

  test('has a name and a variable of its own', () => {
    const names = OPTIONS.map(({ name }) => name);
    const variables = [
      ...OPTIONS.flatMap(({ env }) => env ?? []),
      ...ENV_ALONE.map(({ name }) => name),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
    for (const variable of variables) expect(variable).toMatch(/^[A-Z][A-Z_]+$/);
  });
});
