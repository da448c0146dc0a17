import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isOpenToOthers, OPEN_TO_OTHERS } from '../../config/accounts.js';
import { readJsonFile } from '../../config/json-file.js';
import { isJsonObject } from '../../contracts/documents.js';
import { counted } from '../../counted.js';
import { ConfigError } from '../../failures.js';
import type { CommandLine } from '../command-line.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';
import { type CheckedDocument, checkDocument } from './check-document.js';
import { type Kind, kindOf } from './kinds.js';

type Verdict = { readonly file: string } & (
  | ({ readonly kind: Kind } & CheckedDocument)
  | { readonly kind: null; readonly unreadable: string }
);

/** The command `validate`: exit 1 where a file is wrong, 2 where one cannot be told what it is. */
export const validateFiles = toldCommand(async ({ operands }, { signal }, commandLine) => {
  if (operands.length === 0) throw new ConfigError('name the files to check, or - for stdin');
  if (operands.filter((operand) => operand === '-').length > 1) {
    throw new ConfigError('- is named twice: stdin can be read only once');
  }
  const verdicts: Verdict[] = [];
  for (const operand of operands) verdicts.push(await verdictOf(operand, commandLine, signal));
  const exitCode = Math.max(...verdicts.map(exitCodeOf));
  return {
    exitCode,
    text: toLines(verdicts.flatMap(words)),
    json: {
      ok: exitCode === 0,
      files: verdicts.map((verdict) =>
        verdict.kind === null
          ? { file: verdict.file, kind: null, errors: [verdict.unreadable], warnings: [] }
          : {
              file: verdict.file,
              kind: verdict.kind,
              errors: verdict.errors,
              warnings: verdict.warnings,
            },
      ),
    },
  };
});

async function verdictOf(
  operand: string,
  commandLine: CommandLine,
  signal: AbortSignal,
): Promise<Verdict> {
  const isStdin = operand === '-';
  const file = isStdin ? 'stdin' : operand;
  const path = isStdin ? '-' : resolve(commandLine.cwd, operand);
  const read = await readJsonFile(path, commandLine, signal);
  if (!read.ok) {
    const remedy = read.why === 'malformed' ? `; ${EXPECTED}` : '';
    return { file, kind: null, unreadable: `${read.what}${remedy}` };
  }
  const kind = kindOf(read.value);
  if (kind === undefined) return { file, kind: null, unreadable: UNKNOWN };
  const checked = checkDocument(kind, read.value);
  const more = isStdin ? [] : await aboutTheFile(kind, path, read.value);
  return { file, kind, ...checked, warnings: [...checked.warnings, ...more] };
}

const KINDS =
  'flow run (steps, scope), chart template (chartImgSymbolTemplate, request), accounts (a list), manifest (requested, items)';
const UNKNOWN = `is none of ${KINDS}`;
const EXPECTED = `write one of ${KINDS}`;

/** What its name or its mode may spoil. */
async function aboutTheFile(kind: Kind, path: string, document: unknown): Promise<string[]> {
  if (kind === 'accounts') {
    return isOpenToOthers((await stat(path)).mode) ? [`(document): ${OPEN_TO_OTHERS}`] : [];
  }
  const id = kind === 'chart template' && isJsonObject(document) ? document.id : undefined;
  if (typeof id !== 'string' || basename(path) === `${id}.json`) return [];
  return [`id: a run looks for ${id} in ${id}.json, not in ${basename(path)}`];
}

function exitCodeOf(verdict: Verdict): number {
  if (verdict.kind === null) return 2;
  return verdict.errors.length > 0 ? 1 : 0;
}

function words(verdict: Verdict): string[] {
  const { file, kind } = verdict;
  if (kind === null) return [`${file}: ${verdict.unreadable}`];
  const { errors, warnings, facts } = verdict;
  const state = errors.length > 0 ? counted(errors.length, 'error') : `ok, ${facts}`;
  const doubts = warnings.length > 0 ? `, ${counted(warnings.length, 'warning')}` : '';
  return [
    `${file}: ${kind}: ${state}${doubts}`,
    ...errors.map((error) => `${file}: ${error}`),
    ...warnings.map((warning) => `${file}: warning: ${warning}`),
  ];
}
