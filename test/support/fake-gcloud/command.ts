import { type Given, Refused, type State } from './state.js';

/** How a flag is given: bare (also as `--no-…`), once with a value, or several times. */
export type FlagKind = 'bare' | 'value' | 'list';

export interface Command {
  /** Its group and name: `storage buckets create`. */
  readonly path: string;
  /** How many words follow; -1: one or more. */
  readonly positionals: number;
  readonly flags: Readonly<Record<string, FlagKind>>;
  readonly required?: readonly string[];
  /** The API that must be enabled first. */
  readonly api: string;
  /** What it prints is rendered by `--format`; nothing: it prints none. */
  readonly run: (call: Call) => readonly unknown[] | string | undefined;
}

export interface Call {
  readonly state: State;
  readonly positionals: readonly string[];
  readonly given: Given;
  /** A flag that is required, or that the command cannot do without. */
  text(flag: string): string;
}

/** Flags that every command takes. */
export const EVERYWHERE: Readonly<Record<string, FlagKind>> = {
  '--project': 'value',
  '--quiet': 'bare',
  '--format': 'value',
  '--flatten': 'value',
};

/** Reads a command line as strictly as gcloud does. */
export function parse(commands: readonly Command[], argv: readonly string[]) {
  const firstFlag = argv.findIndex((word) => word.startsWith('-'));
  const words = argv.slice(0, firstFlag < 0 ? argv.length : firstFlag);
  const command = commands
    .filter(({ path }) => `${words.join(' ')} `.startsWith(`${path} `))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (!command) throw new Refused(`Invalid choice: '${words.join(' ')}'`);
  const known = { ...EVERYWHERE, ...command.flags };
  const positionals: string[] = [];
  const given: Record<string, string | string[] | true> = {};
  const rest = argv.slice(command.path.split(' ').length);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('--')) {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const kind =
      known[flag] ?? (known[flag.replace('--no-', '--')] === 'bare' ? 'bare' : undefined);
    if (!kind) throw new Refused(`unrecognized arguments: ${flag}`);
    if (kind === 'bare') {
      if (equals >= 0) throw new Refused(`${flag}: ignored explicit argument`);
      given[flag] = true;
      continue;
    }
    const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
    if (value === undefined || value === '') throw new Refused(`${flag}: expected one argument`);
    if (kind === 'list') given[flag] = [...((given[flag] as string[] | undefined) ?? []), value];
    else if (flag in given) throw new Refused(`${flag}: given twice`);
    else given[flag] = value;
  }
  const right =
    command.positionals < 0 ? positionals.length > 0 : positionals.length === command.positionals;
  if (!right) {
    throw new Refused(`${command.path}: takes ${command.positionals} arguments: ${positionals}`);
  }
  for (const flag of command.required ?? []) {
    if (!(flag in given)) throw new Refused(`argument ${flag}: Must be specified.`);
  }
  return { command, positionals, given };
}

/** Without those that every command takes. */
export function ownFlags(given: Given): Given {
  return Object.fromEntries(
    Object.entries(given).filter(([flag]) => !['--project', '--quiet'].includes(flag)),
  );
}
