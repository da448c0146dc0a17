import { describe, expect, test } from 'vitest';
import {
  ENV_ALONE,
  envTableMarkdown,
  flagTableMarkdown,
  OPTIONS,
} from '../../src/config/options.js';

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

describe('a table of the README', () => {
  test('has a row for every flag, of as many cells as its head', () => {
    const [head, rule, ...rows] = cells(flagTableMarkdown());
    expect(head).toEqual(['flag', 'env', 'default', 'what']);
    expect(rule).toEqual(['---', '---', '---', '---']);
    expect(rows).toEqual(
      OPTIONS.map(({ flag, env, fallback, help }) => [
        `\`${flag}\``,
        env ? `\`${env}\`` : '',
        fallback ?? '',
        help,
      ]),
    );
  });

  test('has a row for every variable without a flag', () => {
    const [head, , ...rows] = cells(envTableMarkdown());
    expect(head).toEqual(['env', 'default', 'what']);
    expect(rows).toEqual(
      ENV_ALONE.map(({ name, fallback, help }) => [`\`${name}\``, fallback ?? '', help]),
    );
  });
});

function cells(table: string): string[][] {
  return table.split('\n').map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
