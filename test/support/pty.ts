import { spawn } from 'node:child_process';
import { accessSync } from 'node:fs';
import { BIN } from './cli-run.js';

/** Why no pseudo-terminal can be had here; empty: there is util-linux's `script`. */
export const whyNoPty = (() => {
  try {
    accessSync('/usr/bin/script');
    return process.platform === 'linux' ? '' : 'SKIPPED: another `script`';
  } catch {
    return 'SKIPPED: no /usr/bin/script';
  }
})();

export interface PtyRun {
  readonly exitCode: number | null;
  /** All that a person would see, with plain line ends. */
  readonly screen: string;
}

/** The real program on a terminal of its own; `answer` is typed once it has asked. */
export function runOnPty(
  argv: readonly string[],
  {
    cwd,
    env = {},
    answer,
  }: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly answer?: string;
  },
): Promise<PtyRun> {
  const quoted = [process.execPath, BIN, ...argv].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['-qec', quoted, '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, TERM: 'xterm', ...env },
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const before = screen;
    screen += chunk;
    if (answer !== undefined && !before.includes('[y/N]') && screen.includes('[y/N]')) {
      child.stdin.write(`${answer}\n`);
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ exitCode, screen: screen.replaceAll('\r\n', '\n') });
    });
  });
}
