import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CommandRow } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { plainArgv } from '../../src/cli/plain-argv.js';
import { parseArgv } from '../../src/cli/program.js';
import { OPTIONS, optionRow } from '../../src/config/options.js';

const WORTH_TRYING = [
  '',
  '-',
  '--',
  '-h',
  '--help',
  '-1',
  '--json',
  'help',
  'x',
  'a,b',
  '=',
  'é',
  '-x',
];

const value = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9./:_]{1,12}$/) },
  { weight: 1, arbitrary: fc.constantFrom(...WORTH_TRYING) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);

/** One flag as people write it, right or wrong. */
function spelled(flag: string): fc.Arbitrary<readonly string[]> {
  const [name = '', placeholder] = flag.split(' ');
  const withValue = value.chain((given) =>
    fc.constantFrom<readonly string[]>([name, given], [`${name}=${given}`]),
  );
  const alone = fc.constant<readonly string[]>([name]);
  return placeholder
    ? fc.oneof({ weight: 8, arbitrary: withValue }, { weight: 1, arbitrary: alone })
    : fc.oneof({ weight: 8, arbitrary: alone }, { weight: 1, arbitrary: withValue });
}

function argvOf(command: CommandRow): fc.Arbitrary<string[]> {
  const own = command.options.map((option) => spelled(optionRow(option).flag));
  const foreign = fc.constantFrom(...OPTIONS).chain(({ flag }) => spelled(flag));
  const part = fc.oneof(
    { weight: 12, arbitrary: fc.oneof(...own) },
    { weight: 1, arbitrary: foreign },
    { weight: 1, arbitrary: fc.constantFrom(...WORTH_TRYING).map((word) => [word]) },
  );
  return fc
    .array(part, { maxLength: 6 })
    .map((parts) => [...command.name.split(' '), ...parts.flat()]);
}

const anyArgv = fc.constantFrom(...COMMANDS).chain(argvOf);

describe('argv read by Node’s parser', () => {
  test('is what commander makes of it, wherever Node’s says something', () => {
    let read = 0;
    fc.assert(
      fc.property(anyArgv, (argv) => {
        const plain = plainArgv(argv);
        if (plain === undefined) return;
        read += 1;
        expect(parseArgv(argv, '0.0.0')).toEqual(plain);
      }),
      { numRuns: 2_000 },
    );
    // Else this shows nothing.
    expect(read).toBeGreaterThan(300);
  });

  test.for([
    ['run-local --flow-run-path run.json --quiet', { flowRunPath: 'run.json', quiet: true }],
    ['run-local --flow-run-path=- --only a --only b,c', { flowRunPath: '-', only: 'b,c' }],
    ['charts generate --symbol A --symbol=B,C', { symbol: 'A,B,C' }],
  ] as const)('%s needs no commander', ([line, flags]) => {
    expect(plainArgv(line.split(' '))?.given).toEqual({ flags, operands: [] });
  });

  test.for([
    '',
    '--help',
    'run-local --help',
    'run-local run.json',
    'run-local --flow-run-pth run.json',
    'run-local --flow-run-path',
    'run-local --flow-run-path=',
    'charts generate --symbol A --symbol=',
    'run-local --step-id -x',
    'run-local --quiet=true',
    'run-local -- x',
    'validate run.json',
    'charts',
    'nothing',
  ])('`%s` is for commander to read', (line) => {
    expect(plainArgv(line.split(' '))).toBeUndefined();
  });
});
