import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { parseArgv } from '../../src/cli/program.js';

function read(line: string) {
  return parseArgv(line.split(' '), '0.0.0');
}

describe('help', () => {
  test.for(COMMANDS.map(({ name }) => name))('help %s is its own --help', (name) => {
    const told = read(`help ${name}`);
    expect(told).toMatchObject({
      kind: 'text',
      text: expect.stringMatching(`^Usage: worker-chart-export ${name} `),
    });
    expect(told).toEqual(read(`${name} --help`));
  });

  test('lists each command with what it takes, whatever else is asked for', () => {
    const groups = new Set(COMMANDS.map(({ name }) => name.split(' ').slice(0, -1).join(' ')));
    for (const group of groups) {
      const told = read(`${group} --help`.trim());
      const text = told.kind === 'text' ? told.text : '';
      for (const { name, operands } of COMMANDS) {
        if (name.split(' ').slice(0, -1).join(' ') !== group) continue;
        const takes = operands ? ` ${operands}` : '';
        expect(text).toContain(`\n  ${name.split(' ').at(-1)} [options]${takes} `);
      }
    }
  });

  test.for([
    ['help nope', "unknown command 'nope'"],
    ['nope --help', "unknown command 'nope'"],
    ['charts nope --help', "unknown command 'nope'"],
    ['symbols st -h', "unknown command 'st' (Did you mean set?)"],
    ['charts', 'name a command of charts: generate, list, latest, show, rm, prune (or --help)'],
  ])('%s: %s', ([line = '', message]) => {
    expect(read(line)).toEqual({ kind: 'usage-error', message });
  });
});

test.for(['validate ', 'charts rm a ', 'symbols enable '])(
  'an empty name is refused: `%s`',
  (line) => {
    expect(read(line)).toMatchObject({
      kind: 'usage-error',
      message: expect.stringMatching(
        /^an empty name is given: (validate|charts rm|symbols enable) </,
      ),
    });
  },
);
