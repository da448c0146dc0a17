import { Command, CommanderError, Option } from 'commander';
import { ENV_ALONE, EXAMPLES, type GivenFlags, OPTIONS } from '../config/options.js';

/** What commander makes of argv: a command to run, text to print, or one line about what is wrong. */
export type Invocation =
  | { readonly kind: 'run-local'; readonly flags: GivenFlags }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Parses argv (without node and script). Nothing is printed and nothing ends the process. */
export function parseArgv(argv: readonly string[], version: string): Invocation {
  let text = '';
  let flags: GivenFlags | undefined;
  const program = new Command('worker-chart-export')
    .description('Renders the CHART_EXPORT step of a flow run, stores its charts and a manifest.')
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (written) => {
        text += written;
      },
      writeErr: () => undefined,
    });
  program.addHelpText('after', afterHelp());
  const runLocal = program
    .command('run-local')
    .description('do one CHART_EXPORT step of a flow run file on this machine')
    .usage('--flow-run-path <file|-> [options]')
    .allowExcessArguments(false)
    .action((given: GivenFlags) => {
      flags = given;
    });
  for (const { flag, name, group, env, fallback, help } of OPTIONS) {
    const notes = [fallback && `default: ${fallback}`, env && `env: ${env}`].filter(Boolean);
    const words = notes.length > 0 ? `${help} (${notes.join('; ')})` : help;
    // Not commander's own `requiredOption`: it hides a mistyped flag behind "not specified".
    const option = new Option(flag, words).helpGroup(`${group}:`);
    if (option.attributeName() !== name) throw new Error(`${flag} is not ${name}`);
    runLocal.addOption(option);
  }
  runLocal.addHelpText('after', afterHelp());

  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text };
    if (error.code === 'commander.help') return NO_COMMAND;
    const message = error.message.replace(/^error: /, '').replaceAll(/\s*\n/g, ' ');
    return { kind: 'usage-error', message };
  }
  return flags ? { kind: 'run-local', flags } : NO_COMMAND;
}

const NO_COMMAND: Invocation = {
  kind: 'usage-error',
  message: 'name a command: worker-chart-export run-local --flow-run-path <file> (or --help)',
};

function afterHelp(): string {
  const examples = EXAMPLES.flatMap(({ what, command }) => [`  # ${what}`, `  $ ${command}`]);
  const env = ENV_ALONE.map(
    ({ name, fallback, help }) =>
      `  ${name.padEnd(25)} ${help}${fallback ? ` (default: ${fallback})` : ''}`,
  );
  return ['', 'Examples:', ...examples, '', 'Environment:', ...env, ''].join('\n');
}
