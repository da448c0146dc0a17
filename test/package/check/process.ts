import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { REPOSITORY } from '../../support/packed.js';

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

export interface HowToRun {
  readonly cwd?: string;
  /** Another one than that which runs the checks. */
  readonly node?: string;
}

const execute = promisify(execFile);
const MOST_BYTES = 64 * 1024 * 1024;
const LONGEST_MS = 300_000;

/** Runs a script under Node in the repository; rejects where its exit code is not 0. */
export function runNode(
  argv: readonly string[],
  { cwd = REPOSITORY, node = process.execPath }: HowToRun = {},
): Promise<Said> {
  return execute(node, argv, { cwd, maxBuffer: MOST_BYTES, timeout: LONGEST_MS });
}

/** The npm that runs this. */
export function runNpm(argv: readonly string[], options?: HowToRun): Promise<Said> {
  const npm = process.env.npm_execpath;
  if (npm === undefined) throw new Error('run it as `npm run check:package`: npm is not known');
  return runNode([npm, ...argv], options);
}

/** For a process whose exit code is a verdict of its own: what it said all the same. */
export function asSaid(error: Error & Partial<Said>): Said {
  if (!error.stdout) throw error;
  return { stdout: error.stdout, stderr: error.stderr ?? '' };
}

/** What a process said that failed, else the message. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stdout = '', stderr = '' } = error as Error & Partial<Said>;
  const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== '');
  return said.length > 0 ? said.join('\n') : error.message;
}
