import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NAME_ACCOUNTS } from '../config/accounts.js';
import { bundled } from '../config/bundled.js';
import type { Inspected } from '../config/run-config.js';
import { validateChartTemplate } from '../contracts/validate.js';
import { LocalDocumentStore } from '../documents/local/local-document-store.js';
import { TemplateFolders } from '../documents/local/template-folders.js';
import { reasonOf } from '../failures.js';
import type { ProcessIdentity } from '../local-disk/process-identity.js';
import { Workspace } from '../local-disk/workspace.js';
import { isForeign, lockHolder } from '../local-disk/workspace-lock.js';
import { isSuitableNode, SUITABLE_NODE } from '../node-version.js';
import { type Finding, failed, ok, skipped, warning } from './finding.js';

/** A lock is held for milliseconds; who holds it longer is worth a word. */
const LOCK_LOOKS = 8;
const LOCK_PAUSE_MS = 250;

export function nodeVersion(version: string): Finding {
  if (isSuitableNode(version)) return ok('node', version);
  return failed('node', `${version} is too old`, `install ${SUITABLE_NODE}`);
}

export function configuration({ config, problems }: Inspected): readonly Finding[] {
  if (problems.length > 0) {
    return problems.map((problem) => failed('config', ...factAndRemedy(problem)));
  }
  const { backend, bucket, workspace, chartsApiMode = 'mock' } = config;
  const place = backend === 'local' ? `workspace ${workspace}` : `bucket gs://${bucket}`;
  return [ok('config', `${backend} backend, ${chartsApiMode} charts, ${place}`)];
}

/** What a problem says itself, or by the flag or the variable that it begins with. */
function factAndRemedy(problem: string): [fact: string, remedy: string] {
  const own = /^(.+?)[:;] ((?:name|set|unset) .+)$/.exec(problem);
  if (own) return [own[1] ?? '', own[2] ?? ''];
  const name = /^(--[a-z-]+|[A-Z_]+): /.exec(problem)?.[1];
  const lists = 'worker-chart-export run-local --help lists them all';
  return [
    problem,
    name ? `correct ${name}, or leave it out` : `mend it, or leave it out; ${lists}`,
  ];
}

/** Looks, and makes nothing. */
export async function workspaceFolder(folder: string): Promise<Finding> {
  const remedy = 'name another folder with --workspace, or give yourself the right to write';
  const there = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if ('isDirectory' in there && !there.isDirectory()) {
    return failed('workspace', `${folder} is not a folder`, remedy);
  }
  const isThere = 'isDirectory' in there;
  const asked = isThere ? folder : await nearestParent(folder);
  try {
    await access(asked, constants.W_OK | constants.X_OK);
    if (!(await stat(asked)).isDirectory()) throw new Error(`${asked} is not a folder`);
  } catch (error) {
    return failed('workspace', `${folder} cannot be written: ${reasonOf(error)}`, remedy);
  }
  return ok('workspace', isThere ? folder : `${folder} is not there yet, and can be made`);
}

async function nearestParent(path: string): Promise<string> {
  for (let at = dirname(path); ; at = dirname(at)) {
    const error = await access(at).catch((reason: NodeJS.ErrnoException) => reason);
    if (error?.code !== 'ENOENT' || dirname(at) === at) return at;
  }
}

/** Waits a little: a lock that is held for a moment is no failure. */
export async function workspaceLock(folder: string): Promise<Finding> {
  let holder: ProcessIdentity | undefined;
  for (let look = 1; look <= LOCK_LOOKS; look++) {
    holder = holderOf(folder);
    if (holder === undefined) return ok('lock', 'free');
    if (look < LOCK_LOOKS) await sleep(LOCK_PAUSE_MS);
  }
  const file = join(folder, '.lock');
  if (holder && isForeign(holder)) {
    return failed('lock', `${file} is no lock of this program, and names no process`, 'delete it');
  }
  return failed(
    'lock',
    `held by process ${holder?.pid} on ${holder?.host}`,
    `end that process; if it no longer exists there, delete ${file}`,
  );
}

function holderOf(folder: string): ProcessIdentity | undefined {
  try {
    return lockHolder(folder);
  } catch {
    return undefined;
  }
}

/** How many, and whether others can read them; ids alone are shown. */
export async function accountsCheck(inspected: Inspected): Promise<readonly Finding[]> {
  const name = 'accounts';
  const { accountsFile, accounts: loaded, config } = inspected;
  if (loaded.problems.length > 0) {
    const remedy = accountsFile
      ? `mend ${accountsFile}, or name another file with --accounts-config-path`
      : 'mend CHART_IMG_ACCOUNTS_JSON: a JSON array of {"id", "apiKey"}';
    return loaded.problems.map((problem) => failed(name, problem, remedy));
  }
  const { accounts, warnings } = loaded;
  if (accounts.length === 0) {
    return config.chartsApiMode === 'real'
      ? [failed(name, 'none, and real mode needs some', NAME_ACCOUNTS)]
      : [skipped(name, 'none are given, which this mode allows')];
  }
  const ids = accounts.map(({ id }) => id);
  const shown = ids.length > 5 ? `${ids.slice(0, 5).join(', ')}, …` : ids.join(', ');
  const count = `${accounts.length} (${shown})`;
  if (accountsFile === undefined) return [ok(name, `${count} from CHART_IMG_ACCOUNTS_JSON`)];

  const mode = (await stat(accountsFile)).mode & 0o777;
  const file = `${count}, ${accountsFile} has mode ${mode.toString(8).padStart(4, '0')}`;
  const isOpen = process.platform !== 'win32' && (mode & 0o077) !== 0;
  const unknown = warnings.filter((words) => words.includes('unknown field'));
  return [
    isOpen
      ? failed(name, `${file}: others can read its keys`, `chmod 600 ${shellWord(accountsFile)}`)
      : ok(name, file),
    ...unknown.map((words) => warning(name, words, 'correct or remove those fields')),
  ];
}

/** As a shell takes it, for people who copy the line. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Templates on this machine: the workspace's, a folder's, the bundled ones; each must be valid. */
export async function localTemplates({ config }: Inspected): Promise<Finding> {
  const { backend, workspace, templatesDir } = config;
  const counts: string[] = [];
  const wrong: string[] = [];
  if (backend === 'local') {
    const store = new LocalDocumentStore(Workspace.peek(workspace));
    const { documents } = await store.list('chart_templates', { limit: 1_000 });
    counts.push(`${documents.length} in the workspace`);
    for (const { id, data } of documents) wrong.push(...faultsOf(id, data));
  }
  const folders = [
    ...(templatesDir === undefined ? [] : [{ folder: templatesDir, where: '--templates-dir' }]),
    ...(backend === 'local' ? [{ folder: bundled.templates, where: 'the bundled set' }] : []),
  ];
  for (const { folder, where } of folders) {
    const files = await filesIn(folder);
    if ('unreadable' in files) return files.unreadable('templates', '--templates-dir');
    const ids = files.names
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
    counts.push(`${ids.length} in ${where}`);
    const found = new TemplateFolders([folder]);
    for (const id of ids) wrong.push(...faultsOf(id, await found.find(id)));
  }
  if (folders.length === 0) {
    return skipped('templates', 'no --templates-dir is named: those of Firestore alone');
  }
  return templatesFinding(counts, wrong);
}

export function templatesFinding(counts: string[], wrong: string[]): Finding {
  const name = 'templates';
  const [first] = wrong;
  if (first === undefined) return ok(name, counts.join(', '));
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : '';
  return failed(name, `${first}${more}`, 'mend that template; the README links to its schema');
}

/** Why the engine would not take a document as this template. */
export function faultsOf(id: string, document: unknown): string[] {
  const checked = validateChartTemplate(document);
  if (!checked.ok) return [`${id}: ${checked.errors[0]}`];
  return checked.value.id === id ? [] : [`${id}: id: is ${checked.value.id}`];
}

export async function fixtures({ config }: Inspected): Promise<Finding> {
  const name = 'fixtures';
  const { chartsApiMode = 'mock', fixturesDir } = config;
  if (chartsApiMode === 'real') return skipped(name, 'real mode does not look at them');
  if (chartsApiMode === 'record') {
    return ok(name, `record mode reads and makes ${fixturesDir}`);
  }
  const files = fixturesDir === undefined ? undefined : await filesIn(fixturesDir);
  if (files && 'unreadable' in files) return files.unreadable(name, '--fixtures-dir');
  const own = files && fixturesAmong(files.names);
  const set = fixturesAmong(await readdir(bundled.fixtures).catch(() => []));
  const bundledFact = `${set} in the bundled set`;
  if (set === 0) {
    const remedy = 'install the package again';
    return failed(name, `the bundled set ${bundled.fixtures} is empty`, remedy);
  }
  if (own === undefined) return ok(name, bundledFact);
  if (own === 0) {
    return failed(
      name,
      `${fixturesDir} holds none`,
      'record some with run-local --charts-api-mode record, or leave out --fixtures-dir and CHARTS_FIXTURES_DIR',
    );
  }
  return ok(name, `${own} in ${fixturesDir}, ${bundledFact}`);
}

function fixturesAmong(names: readonly string[]): number {
  return names.filter((file) => /\.(png|json)$/.test(file)).length;
}

/** A folder that is not there holds nothing: that it has to be there is said of its flag. */
async function filesIn(folder: string) {
  try {
    return { names: await readdir(folder) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { names: [] };
    const fact = `${folder} cannot be read: ${reasonOf(error)}`;
    return {
      unreadable: (name: string, flag: string) =>
        failed(name, fact, `name another folder with ${flag}, or give yourself the right to read`),
    };
  }
}
