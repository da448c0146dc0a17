import { readFile } from 'node:fs/promises';
import type { SignalSource } from './interruption.js';
import { parseArgv } from './program.js';
import type { TerminalStream } from './terminal.js';

/** The process as the command line sees it; nothing in here reads a global. */
export interface CommandLine {
  /** Without node and script. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly signals: SignalSource;
  /** Ends the process without waiting for anything. */
  readonly endNow: (exitCode: number) => void;
}

/** Runs one command; resolves to the exit code. */
export async function main(commandLine: CommandLine): Promise<number> {
  const { argv, stdout, stderr } = commandLine;
  const invocation = parseArgv(argv, await ownVersion());
  switch (invocation.kind) {
    case 'text':
      stdout.write(invocation.text);
      return 0;
    case 'usage-error': {
      stderr.write(`error: ${invocation.message}\n`);
      if (asksForJson(argv)) {
        const { printFailure } = await import('./failure-summary.js');
        printFailure(invocation.message, stdout);
      }
      return 2;
    }
    case 'run-local': {
      const { runLocal } = await import('./run-local.js');
      return runLocal(invocation.flags, commandLine);
    }
    default:
      return invocation satisfies never;
  }
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

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
