import { needsOf } from '../../chart-img/chart-needs.js';
import { bundled } from '../../config/bundled.js';
import { parsePlaceConfig } from '../../config/run-config.js';
import type { PlaceConfig } from '../../config/worker-config.js';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { isChartTemplateId } from '../../contracts/ids.js';
import { counted } from '../../counted.js';
import type { OpenBackend } from '../../worker/backend.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';
import { lintFile } from './lint.js';
import { type LintedTemplate, lintTemplate } from './lint-template.js';
import { allStoredTemplates } from './stored-templates.js';
import { readTemplateFiles, shortPath, templateNames } from './template-files.js';

/** Where a run looks, in this order. */
type Origin = 'store' | 'templates-dir' | 'bundled';

interface ListedTemplate extends LintedTemplate {
  readonly id: string;
  readonly template: JsonObject;
  readonly from: Origin;
  /** Its file, or its path in Firestore. */
  readonly place: string;
}

/** The command `templates list`. */
export const listTemplates = toldCommand(async ({ flags }, session, { env, cwd }) => {
  const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
  const backend = await openBackend(config, 'read', session.logger);
  try {
    const found = [
      ...(await ofStore(backend, cwd)),
      ...(await ofFolder('templates-dir', config.templatesDir, cwd, session.signal)),
      // On gcp no run looks there.
      ...(await ofFolder(
        'bundled',
        config.backend === 'local' ? bundled.templates : undefined,
        cwd,
        session.signal,
      )),
    ];
    const winners = new Map<string, ListedTemplate>();
    for (const template of found) {
      if (!winners.has(template.id)) winners.set(template.id, template);
    }
    const rows = found
      .map((listed) => {
        const winner = winners.get(listed.id);
        return { ...listed, shadowedBy: winner === listed ? undefined : winner?.from };
      })
      .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    return {
      exitCode: 0,
      text: toLines([...rows.flatMap((row) => words(row, rows)), ...ending(rows, config)]),
      json: { backend: config.backend, templates: rows.map(toJson) },
    };
  } finally {
    await backend.close();
  }
});

async function ofStore(backend: OpenBackend, cwd: string): Promise<ListedTemplate[]> {
  const documents = await allStoredTemplates(backend.documents);
  return documents.map(({ id, data }) => ({
    ...lintTemplate(data, id),
    id,
    template: data,
    from: 'store',
    place: shortPath(backend.placeOf(`chart_templates/${id}`), cwd),
  }));
}

async function ofFolder(
  from: Origin,
  folder: string | undefined,
  cwd: string,
  signal: AbortSignal,
): Promise<ListedTemplate[]> {
  // An empty folder is a right one here.
  if (folder === undefined || (await templateNames(folder)).length === 0) return [];
  const files = await readTemplateFiles([folder], cwd, signal);
  return files
    .filter(({ id }) => isChartTemplateId(id))
    .map((file) => {
      const { errors, warnings, limits, plans } = lintFile(file);
      const template = file.read.ok && isJsonObject(file.read.value) ? file.read.value : {};
      const facts = { id: file.id, template, from, place: file.name };
      return { errors, warnings, limits, plans, ...facts };
    });
}

type Row = ListedTemplate & { readonly shadowedBy: Origin | undefined };

function toJson({ id, template, from, place, errors, plans, shadowedBy }: Row) {
  const { description } = template;
  return {
    id,
    description: typeof description === 'string' ? description : null,
    studies: studiesOf(template),
    ...sizeOf(template),
    plans,
    from,
    place,
    shadowedBy: shadowedBy ?? null,
    errors,
  };
}

/** One template as a run finds it; of the others with its id no more than where they are. */
function words(row: Row, rows: readonly Row[]): string[] {
  if (row.shadowedBy !== undefined) return [];
  const { id, errors, plans } = row;
  const { description, studies, width, height } = toJson(row);
  const others = rows.filter((other) => other.id === id && other !== row);
  const from = [
    `  from     ${placeWords(row)}`,
    ...others.map((other) => `  hides    ${placeWords(other)}`),
  ];
  if (errors.length > 0) {
    return [`${id}  INVALID`, ...from, ...errors.map((error) => `  error    ${error}`)];
  }
  const [plan] = plans;
  return [
    `${id}  ${description}`,
    ...from,
    `  size     ${width}×${height}, ${plan === 'BASIC' ? 'any plan' : `plan ${plan} or larger`}`,
    `  studies  ${studies.join(', ') || '-'}`,
  ];
}

function placeWords({ from, place }: Row): string {
  return from === 'bundled' ? 'the bundled set' : `${from}: ${place}`;
}

function ending(rows: readonly Row[], { backend, workspace, templatesDir }: PlaceConfig): string[] {
  const used = rows.filter(({ shadowedBy }) => shadowedBy === undefined);
  const invalid = used.filter(({ errors }) => errors.length > 0).length;
  const places = [
    backend === 'gcp' ? 'Firestore (chart_templates)' : `workspace ${workspace}`,
    templatesDir ?? '',
    backend === 'local' ? 'the bundled set' : '',
  ].filter(Boolean);
  const tally = [counted(used.length, 'template'), ...(invalid > 0 ? [`${invalid} invalid`] : [])];
  return [`${tally.join(', ')}; looked in ${places.join(', then in ')}`];
}

function studiesOf({ request }: JsonObject): string[] {
  const studies = isJsonObject(request) ? request.studies : undefined;
  if (!Array.isArray(studies)) return [];
  return studies.flatMap((study: unknown) =>
    isJsonObject(study) && typeof study.name === 'string' ? [study.name] : [],
  );
}

function sizeOf({ request }: JsonObject): { width: number; height: number } {
  const { width, height } = needsOf(isJsonObject(request) ? request : {});
  return { width, height };
}
