import type { CommandLine } from './command-line.js';

/** Whether there is a person who sees a question on stderr and can answer it. */
export function canAsk({ stdin, stderr }: Pick<CommandLine, 'stdin' | 'stderr'>): boolean {
  return (stdin as { isTTY?: boolean }).isTTY === true && stderr.isTTY === true;
}

/**
 * Asks once, on stderr; anything but a yes is a no, and so is the end of the input. Rejects with the
 * signal's reason when that aborts.
 */
export async function confirm(
  question: string,
  { stdin, stderr }: Pick<CommandLine, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  // Without `terminal` Ctrl-C reaches us as the signal it is.
  const asked = createInterface({ input: stdin, output: stderr, terminal: false });
  const ended = new Promise<string>((resolve) => asked.once('close', () => resolve('')));
  try {
    const answer = asked.question(`${question} [y/N] `, { signal });
    return /^\s*y(es)?\s*$/i.test(await Promise.race([answer, ended]));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    asked.close();
  }
}
