import { execFileSync, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { BIN } from './cli-run.js';

const python = pythonItself();

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoTerminal = python ? '' : 'SKIPPED: no python3 to open a terminal with';

export interface OnTerminal {
  readonly exitCode: number | null;
  /** All that came to the terminal, with its control characters. */
  readonly output: string;
  /** What stood in one line between two movements of the cursor. */
  readonly pieces: readonly string[];
}

/** Runs the real program on a terminal of its own, for both of its streams. */
export function runOnTerminal(
  argv: readonly string[],
  options: {
    readonly cwd: string;
    readonly columns: number;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<OnTerminal> {
  const { cwd, columns, env = {} } = options;
  const child = spawn(
    python ?? 'python3',
    ['-c', OPEN, String(columns), process.execPath, BIN, ...argv],
    {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what terminals obey
      const moved = output.replaceAll(/\u001b\[[0-9;]*[A-LSTfsu]/g, '\n');
      const pieces = stripVTControlCharacters(moved).split(/[\r\n]+/);
      resolve({ exitCode, output, pieces: pieces.filter((piece) => piece.trim() !== '') });
    });
  });
}

/** What the name stands for: a version manager's `python3` is a script that takes half a second. */
function pythonItself(): string | undefined {
  const where = 'import pty, sys; print(sys.executable)';
  try {
    return execFileSync('python3', ['-c', where], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

/** The size is set before the program starts: it asks once. */
const OPEN = `
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
`;
