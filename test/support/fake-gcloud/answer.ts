import { parse } from './command.js';
import { COMMANDS } from './commands.js';
import { formatted } from './format.js';
import { Refused, type State } from './state.js';

export interface Answer {
  readonly exitCode: 0 | 1;
  /** What goes to stdout, and to stderr where the code is not 0. */
  readonly text: string;
}

/** Does to the project what one call of gcloud would have done. */
export function answer(state: State, argv: readonly string[]): Answer {
  try {
    return { exitCode: 0, text: run(state, argv) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { exitCode: 1, text: `ERROR: (gcloud) ${error.message}\n` };
  }
}

function run(state: State, argv: readonly string[]): string {
  const { command, positionals, given } = parse(COMMANDS, argv);
  if (given['--project'] !== state.project) throw new Refused('which project?');
  if (!('--quiet' in given)) throw new Refused('it would ask, and nobody would answer');
  const api = `${command.api}.googleapis.com`;
  if (command.api !== '' && !state.services.includes(api)) {
    throw new Refused(`API [${api}] not enabled on project [${state.project}]`);
  }
  const words = state.failing[command.path];
  if (words !== undefined) throw new Refused(words);
  const text = (flag: string): string => {
    const value = given[flag];
    if (typeof value !== 'string') throw new Refused(`argument ${flag}: Must be specified.`);
    return value;
  };
  const result = command.run({ state, positionals, given, text });
  if (typeof result === 'string') return result;
  const format = given['--format'];
  if (!result || (format === undefined && result.length === 1)) return '';
  return formatted(result, typeof format === 'string' ? format : undefined);
}
