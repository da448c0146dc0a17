import { readFileSync } from 'node:fs';
import { bundled } from '../config/bundled.js';
import type { CommandRow, Given } from './command.js';
import type { CommandLine } from './command-line.js';
import { plainArgv } from './plain-argv.js';

/** Runs one command; resolves to the exit code. */
export async function main(commandLine: CommandLine): Promise<number> {
  const { argv, stdout, stderr } = commandLine;
  const plain = plainArgv(argv);
  if (plain) return run(plain, commandLine);
  const { parseArgv } = await import('./program.js');
  const invocation = parseArgv(argv, ownVersion());
  switch (invocation.kind) {
    case 'text':
      stdout.write(invocation.text);
      return 0;
    case 'usage-error': {
      stderr.write(`error: ${invocation.message}\n`);
      const isSummary = asksForJson(argv);
      if (!isSummary && argv.includes('--json')) {
        const { message } = invocation;
        stdout.write(`${JSON.stringify({ error: { code: 'CONFIG_ERROR', message } })}\n`);
      }
      if (isSummary) {
        const { printFailure } = await import('./failure-summary.js');
        printFailure(invocation.message, stdout);
      }
      return 2;
    }
    case 'command':
      return run(invocation, commandLine);
    default:
      return invocation satisfies never;
  }
}

async function run(
  { command, given }: { readonly command: CommandRow; readonly given: Given },
  commandLine: CommandLine,
): Promise<number> {
  const does = await command.load();
  return does(given, commandLine);
}

/** Also when the rest of argv cannot be understood: the last one counts, as for commander. */
function asksForJson(argv: readonly string[]): boolean {
  const values = argv.flatMap((argument, index) => {
    if (argument.startsWith('--output-summary='))
      return [argument.slice('--output-summary='.length)];
    return argument === '--output-summary' ? [argv[index + 1]] : [];
  });
  return values.at(-1) === 'json';
}

function ownVersion(): string {
  const text = readFileSync(bundled.packageJson, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
