import { PLAN_NAMES } from '../../accounts/plans.js';
import { bundled } from '../../config/bundled.js';
import { Source } from '../../config/source.js';
import { counted } from '../../counted.js';
import { toLines } from '../lines.js';
import { table, widthOf } from '../table.js';
import { toldCommand } from '../told-command.js';
import { type LintedTemplate, lintTemplate } from './lint-template.js';
import { readTemplateFiles, type TemplateFile } from './template-files.js';

/** The command `templates lint`: exit 1 where a template would draw on no plan at all. */
export const lintTemplates = toldCommand(
  async ({ flags, operands }, { signal }, { env, cwd, stdout }) => {
    const named = new Source(flags, env, cwd).path('templatesDir');
    const paths = operands.length > 0 ? operands : [named ?? bundled.templates];
    const files = (await readTemplateFiles(paths, cwd, signal)).map(lintFile);
    const failed = files.filter(({ errors }) => errors.length > 0).length;
    const isBundled = operands.length === 0 && named === undefined;
    return {
      exitCode: failed > 0 ? 1 : 0,
      text: toLines([
        ...table(
          ['template', ...PLAN_NAMES].map((head) => ({ head })),
          files.map(({ file, plans }) => [
            { text: file.id },
            ...PLAN_NAMES.map((plan) => ({ text: plans.includes(plan) ? 'ok' : 'fails' })),
          ]),
          widthOf(stdout),
        ),
        ...files.flatMap(findingsOf),
        `${counted(files.length, 'template')}${isBundled ? ' that come with the package' : ''}, ${failed} invalid`,
      ]),
      json: {
        ok: failed === 0,
        templates: files.map(({ file, errors, warnings, limits, plans }) => ({
          file: file.name,
          id: file.id,
          errors,
          limits,
          warnings,
          plans,
        })),
      },
    };
  },
);

export interface LintedFile extends LintedTemplate {
  readonly file: TemplateFile;
}

export function lintFile(file: TemplateFile): LintedFile {
  if (!file.read.ok) {
    const errors = [`(document): ${file.read.what}`];
    return { file, errors, warnings: [], limits: [], plans: [] };
  }
  return { file, ...lintTemplate(file.read.value, file.id) };
}

/** Each with its file; what stops nobody says so. */
export function findingsOf({ file: { name }, errors, limits, warnings }: LintedFile): string[] {
  return [
    ...errors.map((error) => `${name}: ${error}`),
    ...limits.map((limit) => `${name}: plan: ${limit}`),
    ...warnings.map((warning) => `${name}: warning: ${warning}`),
  ];
}
