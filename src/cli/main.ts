import { readFileSync } from 'node:fs';
import { bundled } from '../config/bundled.js';
import { isSuitableNode, SUITABLE_NODE } from '../node-version.js';
import type { CommandLine } from './command-line.js';
import { plainArgv } from './plain-argv.js';
import type { Invocation } from './program.js';

/** Runs one command; resolves to the exit code. */
export async function main(commandLine: CommandLine): Promise<number> {
  const invocation = await invocationOf(commandLine);
  switch (invocation.kind) {
    case 'command': {
      const command = await invocation.command.load();
      return command(invocation.given, commandLine);
    }
    case 'text':
      commandLine.stdout.write(invocation.text);
      return 0;
    case 'usage-error':
      return refuse(invocation.message, commandLine);
    default:
      return invocation satisfies never;
  }
}

async function invocationOf({ argv, nodeVersion }: CommandLine): Promise<Invocation> {
  const plain = plainArgv(argv);
  const invocation = plain ?? (await import('./program.js')).parseArgv(argv, ownVersion());
  // The doctor says so beside what else it finds.
  const needsMore = invocation.kind === 'command' && invocation.command.name !== 'doctor';
  if (!needsMore || isSuitableNode(nodeVersion)) return invocation;
  const message = `Node.js ${nodeVersion} is too old; install ${SUITABLE_NODE}`;
  return { kind: 'usage-error', message };
}

async function refuse(message: string, { argv, stdout, stderr }: CommandLine): Promise<number> {
  stderr.write(`error: ${message}\n`);
  if (asksForJson(argv)) {
    const { printFailure } = await import('./failure-summary.js');
    printFailure(message, stdout);
  } else if (argv.includes('--json')) {
    stdout.write(`${JSON.stringify({ error: { code: 'CONFIG_ERROR', message } })}\n`);
  }
  return 2;
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
