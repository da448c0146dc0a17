import type { Readable } from 'node:stream';
import type { SignalSource } from './interruption.js';
import type { TerminalStream } from './terminal.js';

/** The process as the command line sees it; nothing in here reads a global. */
export interface CommandLine {
  /** Without node and script. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Without a `v`. */
  readonly nodeVersion: string;
  readonly stdin: Readable;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly signals: SignalSource;
  /** Ends the process without waiting for anything. */
  readonly endNow: (exitCode: number) => void;
  /** Hears of what nobody caught; without it Node would print it, with all that the error holds. */
  readonly onCrash?: (listener: (error: unknown) => void) => void;
}
