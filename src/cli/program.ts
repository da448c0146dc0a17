import { Command as Commander, CommanderError, Help, Option } from 'commander';
import { ENV_ALONE, type GivenFlags, optionRow } from '../config/options.js';
import type { CommandRow, Given } from './command.js';
import { COMMANDS } from './commands.js';

/** What commander makes of argv: a command to run, text to print, or one line about what is wrong. */
export type Invocation =
  | { readonly kind: 'command'; readonly command: CommandRow; readonly given: Given }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Parses argv (without node and script). Nothing is printed and nothing ends the process. */
export function parseArgv(argv: readonly string[], version: string): Invocation {
  let text = '';
  let invocation: Invocation = NO_COMMAND;
  const rows = new Map<Commander, CommandRow>();
  const program = new Commander('worker-chart-export')
    .description('Renders the CHART_EXPORT steps of flow runs, stores their charts and manifests.')
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({
      // Commander's own tells only of options that are made.
      subcommandTerm: (command) => {
        const row = rows.get(command);
        if (!row) return new Help().subcommandTerm(command);
        return `${command.name()} [options]${row.operands ? ` ${row.operands}` : ''}`;
      },
    })
    .configureOutput({
      writeOut: (written) => {
        text += written;
      },
      writeErr: () => undefined,
    });
  const [first] = COMMANDS;
  program.addHelpText('after', afterHelp(first?.examples ?? []));
  for (const row of rowsFor(argv)) {
    const command = add(program, row);
    rows.set(command, row);
    // What all of them take together is half of a `--help`; of most the name is enough.
    if (!row.name.split(' ').every((word) => argv.includes(word))) continue;
    complete(command, row, (given) => {
      invocation = { kind: 'command', command: row, given };
    });
  }

  try {
    program.parse(helpSpelledOut(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text };
    if (error.code === 'commander.help') return noCommand(argv);
    const message = error.message.replace(/^error: /, '').replaceAll(/\s*\n/g, ' ');
    const hint = error.code === 'commander.excessArguments' ? usageOf(argv) : '';
    return { kind: 'usage-error', message: `${message}${hint}` };
  }
  return invocation;
}

/**
 * `help charts show` is `charts show --help`: commander's own shows the group's. Of a command that is
 * not there, that is said, and not the help of what it would stand in.
 */
function helpSpelledOut([...argv]: readonly string[]): string[] {
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  if (firstFlag === -1) return words;
  const named = words.slice(0, firstFlag);
  const isThere = COMMANDS.some(({ name }) => {
    const parts = name.split(' ');
    return named.every((word, index) => index >= parts.length || word === parts[index]);
  });
  return isThere ? words : words.filter((word) => word !== '--help' && word !== '-h');
}

/** Of the command or group that is named first; all of them where there is none. */
function rowsFor([first]: readonly string[]): readonly CommandRow[] {
  const named = COMMANDS.filter(({ name }) => name.split(' ')[0] === first);
  return named.length > 0 ? named : COMMANDS;
}

const NO_COMMAND: Invocation = {
  kind: 'usage-error',
  message: 'name a command: worker-chart-export run-local --flow-run-path <file> (or --help)',
};

/** After a group's name, its commands are what is missing. */
function noCommand([group]: readonly string[]): Invocation {
  const names = namesIn(group);
  if (names.length === 0) return NO_COMMAND;
  const message = `name a command of ${group}: ${names.join(', ')} (or --help)`;
  return { kind: 'usage-error', message };
}

/** People name a file without its flag. */
function usageOf(argv: readonly string[]): string {
  const row = COMMANDS.find(({ name }) => argv.join(' ').startsWith(`${name} `));
  return row ? ` It is: ${row.name} ${row.usage}` : '';
}

function namesIn(group: string | undefined): string[] {
  return COMMANDS.flatMap(({ name }) =>
    name.startsWith(`${group} `) ? [name.slice(`${group} `.length)] : [],
  );
}

function add(program: Commander, row: CommandRow): Commander {
  const words = row.name.split(' ');
  const name = words.pop() ?? row.name;
  const parent = words.reduce(group, program);
  return parent.command(name).description(row.what).usage(row.usage);
}

/** What the command takes, and what then becomes of it. */
function complete(command: Commander, row: CommandRow, onGiven: (given: Given) => void): void {
  if (row.operands) command.argument(row.operands);
  const refuseEmpty = (flags: GivenFlags) => {
    const option = row.options.find((given) => flags[given] === '');
    if (option === undefined) return;
    const [flag] = optionRow(option).flag.split(' ');
    command.error(`${flag} is given without a value: name one, or leave the flag out`);
  };
  for (const option of row.options) {
    const { flag, group: heading, env, fallback, help, isList } = optionRow(option);
    const notes = [fallback && `default: ${fallback}`, env && `env: ${env}`].filter(Boolean);
    // Not commander's own `requiredOption`: it hides a mistyped flag behind "not specified".
    const made = new Option(flag, notes.length > 0 ? `${help} (${notes.join('; ')})` : help);
    if (made.attributeName() !== option) throw new Error(`${flag} is not ${option}`);
    if (isList) made.argParser(joined);
    command.addOption(made.helpGroup(`${heading}:`));
  }
  command
    .allowExcessArguments(false)
    .addHelpText('after', afterHelp(row.examples))
    .action(() => {
      const flags = command.opts<GivenFlags>();
      // Of a script whose variable is empty: the first step, or all charts, is not what it meant.
      refuseEmpty(flags);
      if (command.args.includes('')) {
        command.error(`an empty name is given: ${row.name} ${row.usage}`);
      }
      onGiven({ flags, operands: command.args });
    });
}

/** The command that holds a group's commands. */
function group(parent: Commander, name: string): Commander {
  const there = parent.commands.find((command) => command.name() === name);
  return there ?? parent.command(name).description(`${namesIn(name).join(', ')} ${name}`);
}

function afterHelp(examples: CommandRow['examples']): string {
  const lines = examples.flatMap(({ what, command }) => [`  # ${what}`, `  $ ${command}`]);
  const env = ENV_ALONE.map(
    ({ name, fallback, help }) =>
      `  ${name.padEnd(25)} ${help}${fallback ? ` (default: ${fallback})` : ''}`,
  );
  return ['', 'Examples:', ...lines, '', 'Environment:', ...env, ''].join('\n');
}

/** Of a flag that was given before: both, with a comma between; without a value it stays without. */
function joined(value: string, before: string | undefined): string {
  if (value === '' || before === '') return '';
  return before === undefined ? value : `${before},${value}`;
}
