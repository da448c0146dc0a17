import type { GivenFlags, OptionName } from '../config/options.js';
import type { CommandLine } from './command-line.js';

/** What argv came to, unchecked. */
export interface Given {
  readonly flags: GivenFlags;
  /** Without a dash. */
  readonly operands: readonly string[];
}

/** Runs one command; resolves to the exit code. */
export type Command = (given: Given, commandLine: CommandLine) => Promise<number>;

/** One command. The program, its help and the README are made from this. */
export interface CommandRow {
  /** Two words: a command of a group. */
  readonly name: string;
  readonly what: string;
  readonly usage: string;
  /** As commander writes it: `[path...]`. */
  readonly operands?: string;
  readonly options: readonly OptionName[];
  readonly examples: readonly { readonly what: string; readonly command: string }[];
  /** Loaded only when it is asked for. */
  readonly load: () => Promise<Command>;
}
