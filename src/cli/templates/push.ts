import { parsePlaceConfig } from '../../config/run-config.js';
import type { PlaceConfig } from '../../config/worker-config.js';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { childPath } from '../../contracts/json-path.js';
import { counted } from '../../counted.js';
import type { DocumentStore, StoredDocument } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import { ConfigError, StoreUnavailable } from '../../failures.js';
import { openBackend } from '../../worker/open-backend.js';
import type { Given } from '../command.js';
import type { CommandLine } from '../command-line.js';
import { canAsk, confirm } from '../confirm.js';
import { toLines } from '../lines.js';
import type { Session } from '../session.js';
import { type Told, toldCommand } from '../told-command.js';
import { type Change, changeLine, diffJson } from './json-diff.js';
import { findingsOf, type LintedFile, lintFile } from './lint.js';
import { storedTemplates } from './stored-templates.js';
import { readTemplateFiles } from './template-files.js';

/** The command `templates push`: exit 1 for templates that are invalid, of which nothing is written. */
export const pushTemplates = toldCommand(async (given, session, commandLine) => {
  const { env, cwd } = commandLine;
  const { flags, operands } = given;
  const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
  const named = operands.length > 0 ? operands : [config.templatesDir ?? ''];
  if (named.includes('')) {
    throw new ConfigError('name the chart templates to push: files or folders, or --templates-dir');
  }
  const files = (await readTemplateFiles(named, cwd, session.signal)).map(lintFile);
  const { invalid, findings } = refuseInvalid(files, config);
  if (invalid > 0) {
    const words = `nothing written: ${counted(invalid, 'template')} of ${files.length} invalid`;
    return {
      exitCode: 1,
      text: toLines([...findings, words]),
      json: { ok: false, dryRun: flags.dryRun === true, written: 0, findings, templates: [] },
    };
  }
  const backend = await openBackend(config, flags.dryRun ? 'read' : 'write', session.logger);
  try {
    const push = { config, documents: backend.documents, findings };
    return await pushTo(push, files, given, session, commandLine);
  } finally {
    await backend.close();
  }
});

interface Push {
  readonly config: PlaceConfig;
  readonly documents: DocumentStore;
  /** Doubts about the templates, to be said first. */
  readonly findings: readonly string[];
}

/** One template beside what the store has of it. */
interface Difference {
  readonly id: string;
  readonly file: string;
  readonly template: JsonObject;
  readonly stored: StoredDocument | undefined;
  readonly changes: readonly Change[];
}

/** What comes after the templates were found right, on a store that is open. */
export async function pushTo(
  { config, documents, findings }: Push,
  files: readonly LintedFile[],
  { flags }: Pick<Given, 'flags'>,
  { signal, logger, redact, closeLog }: Pick<Session, 'signal' | 'logger' | 'redact' | 'closeLog'>,
  commandLine: Pick<CommandLine, 'stdin' | 'stderr'>,
): Promise<Told> {
  const stored = await storedTemplates(
    documents,
    files.map(({ file }) => file.id),
  );
  const all = files.map((file) => differenceOf(file, stored.get(file.file.id)));
  const differing = all.filter(({ changes }) => changes.length > 0);
  const same = all.length - differing.length;
  const dryRun = flags.dryRun === true;
  const told = (exitCode: number, written: number, lines: readonly string[], error?: object) => ({
    exitCode,
    text: toLines(lines),
    json: {
      ok: exitCode === 0,
      dryRun,
      written,
      findings,
      templates: all.map(toJson),
      ...(error && { error }),
    },
  });
  const shown = [...findings, ...differing.flatMap(words)];
  const ending = (words: string) => (same > 0 ? `${words}, ${same} the same already` : words);
  const target = targetWords(config);
  if (differing.length === 0) {
    return told(0, 0, [...findings, `nothing to write: ${counted(same, 'template')} the same`]);
  }
  if (dryRun) {
    const would = `would write ${counted(differing.length, 'template')} to ${target}`;
    return told(0, 0, [...shown, ending(would)]);
  }
  let isShown = false;
  if (isReal(config) && flags.yes !== true) {
    if (!canAsk(commandLine)) {
      const message = `nothing written: ${target} is a real one and there is no terminal to ask on; add --yes to write, or --dry-run to look`;
      const error = { code: 'CONFIG_ERROR', message };
      logger.error('config_error', message, { error });
      return told(2, 0, shown, error);
    }
    // A live line would stand in front of the question.
    closeLog();
    commandLine.stderr.write(redact(toLines(shown)));
    isShown = true;
    const question = `write ${counted(differing.length, 'template')} to ${target}?`;
    if (!(await confirm(question, commandLine, signal))) {
      // As a no: what a script has after `&&` must not follow.
      return told(1, 0, ['nothing written']);
    }
  }
  signal.throwIfAborted();
  await write(differing, documents);
  const wrote = ending(`wrote ${counted(differing.length, 'template')} to ${target}`);
  return told(0, differing.length, isShown ? [wrote] : [...shown, wrote]);
}

/** Templates that must not be stored, and what is to be said of all of them. */
function refuseInvalid(files: readonly LintedFile[], { backend }: PlaceConfig) {
  const firstOf = new Map<string, string>();
  let invalid = 0;
  const findings = files.flatMap((linted) => {
    const { file } = linted;
    const errors = [...linted.errors];
    if (file.read.ok && backend === 'gcp') errors.push(...notStorable(file.read.value));
    const twin = firstOf.get(file.id);
    if (twin === undefined) firstOf.set(file.id, file.name);
    else errors.push(`id: ${file.id} is also in ${twin}; name one of them`);
    if (errors.length > 0) invalid += 1;
    return findingsOf({ ...linted, errors });
  });
  return { invalid, findings };
}

/** Firestore's own limits, which a workspace does not have. */
const MAX_DEPTH = 20;

/** Pure, and total: what Firestore would refuse to store, as `path: message`. */
export function notStorable(template: unknown): string[] {
  const found: string[] = [];
  const todo = [{ value: template, path: '', depth: 0 }];
  for (let next = todo.pop(); next && found.length === 0; next = todo.pop()) {
    const { value, path, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > MAX_DEPTH) {
      found.push('(document): is nested deeper than the 20 levels that Firestore stores');
    }
    for (const [key, child] of Object.entries(value)) {
      const childsPath = childPath(path, key);
      if (Array.isArray(value) && Array.isArray(child)) {
        found.push(`${childsPath}: is a list in a list, which Firestore does not store`);
      }
      if (/^__.*__$/s.test(key) || key === '') {
        found.push(`${childsPath}: is a name that Firestore does not store`);
      }
      todo.push({ value: child, path: childsPath, depth: depth + 1 });
    }
  }
  return found;
}

/** Under the version that was compared: what somebody else wrote since is not overwritten. */
async function write(differing: readonly Difference[], documents: DocumentStore): Promise<void> {
  const result = await documents.commit(
    differing.map(({ id, template, stored }) => ({
      kind: 'put',
      path: paths.template(id),
      data: template,
      when: stored ? { version: stored.version } : { absent: true },
    })),
  );
  if (result.status === 'committed') return;
  const ids = differing.map(({ id }) => id);
  const now = await storedTemplates(documents, ids);
  const isDone = differing.every(
    ({ id, template }) => diffJson(now.get(id)?.data, template).length === 0,
  );
  if (isDone) return;
  throw new StoreUnavailable(
    result.status === 'refused'
      ? 'nothing written: somebody changed chart_templates meanwhile; run it again to see the difference'
      : `no answer to the write of ${counted(ids.length, 'template')}: run it again, it writes what is missing`,
  );
}

function differenceOf({ file }: LintedFile, stored: StoredDocument | undefined): Difference {
  const template = file.read.ok && isJsonObject(file.read.value) ? file.read.value : {};
  const changes = diffJson(stored?.data, template);
  return { id: file.id, file: file.name, template, stored, changes };
}

function words({ id, file, stored, changes }: Difference): string[] {
  if (stored === undefined) return [`new      ${id}  (${file})`];
  return [`changed  ${id}  (${file})`, ...changes.map((change) => `  ${changeLine(change)}`)];
}

function toJson({ id, file, stored, changes }: Difference) {
  const action = changes.length === 0 ? 'same' : stored === undefined ? 'create' : 'update';
  const given = (value: unknown) => value ?? null;
  return {
    id,
    file,
    action,
    changes:
      action === 'update'
        ? changes.map(({ path, before, after }) => ({
            path,
            before: given(before),
            after: given(after),
          }))
        : [],
  };
}

/** A store that production may rest on. */
function isReal({ cloud }: PlaceConfig): boolean {
  return cloud !== undefined && cloud.firestoreEmulatorHost === undefined;
}

function targetWords({ cloud, workspace }: PlaceConfig): string {
  if (cloud === undefined) return `workspace ${workspace}`;
  const { projectId, database, firestoreEmulatorHost: emulator } = cloud;
  const project = projectId === undefined ? '' : ` of project ${projectId}`;
  const on = emulator === undefined ? '' : ` on the emulator at ${emulator}`;
  return `chart_templates in Firestore database ${database}${project}${on}`;
}
