import { parseArgs } from 'node:util';
import { type GivenFlags, type OptionName, optionRow } from '../config/options.js';
import { COMMANDS } from './commands.js';
import type { Invocation } from './program.js';

/**
 * What argv asks for, where nothing needs to be said about it; `undefined` where there may be: a
 * mistake, a question for help, a file named without a flag. That is commander's to read, which takes
 * as long to load and to hear of our commands as a tenth of a mock run.
 */
export function plainArgv(
  argv: readonly string[],
): (Invocation & { readonly kind: 'command' }) | undefined {
  const command = COMMANDS.find(({ name, operands }) => !operands && startsWith(argv, name));
  if (!command) return undefined;
  // Node's parser looks at each option that it is told of.
  const given = new Set(argv.map((argument) => argument.replace(/=.*/s, '')));
  const named = command.options.filter((option) => given.has(`--${flagOf(option)}`));
  const names = new Map(named.map((option) => [flagOf(option), option]));
  const options = Object.fromEntries(
    Array.from(names, ([flag, option]) => {
      const { flag: spelled, isList } = optionRow(option);
      const type = spelled.includes('<') ? ('string' as const) : ('boolean' as const);
      return [flag, { type, multiple: isList === true }];
    }),
  );
  const flags: { -readonly [Name in OptionName]?: GivenFlags[Name] } = {};
  try {
    const args = argv.slice(command.name.split(' ').length);
    for (const [flag, value] of Object.entries(parseArgs({ args, options }).values)) {
      if (value === undefined || [value].flat().includes('')) return undefined;
      flags[names.get(flag) as OptionName] = Array.isArray(value) ? value.join(',') : value;
    }
  } catch {
    return undefined;
  }
  return { kind: 'command', command, given: { flags, operands: [] } };
}

function startsWith(argv: readonly string[], name: string): boolean {
  return name.split(' ').every((word, index) => argv[index] === word);
}

/** `--step-id <id>` → `step-id` */
function flagOf(option: OptionName): string {
  return optionRow(option).flag.replace(/^--/, '').replace(/ .*/, '');
}
