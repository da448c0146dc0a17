import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** From the start of the process to its end. */
  readonly wallMs: number;
}

export interface Surroundings {
  readonly cwd: string;
  /** Added to an environment that holds nothing but what Node needs. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs `node` with these arguments to its end; rejects unless that is exit 0. The environment is
 * not ours: with NODE_EXTRA_CA_CERTS every Node start takes 40 ms more.
 */
export async function node(argv: readonly string[], { cwd, env = {} }: Surroundings): Promise<Ran> {
  const since = performance.now();
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([exitCode]) => ({
    exitCode,
    wallMs: performance.now() - since,
  }));
  const [{ exitCode, wallMs }, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (exitCode !== 0)
    throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
  return { stdout, stderr, wallMs };
}
