import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { clockSkew } from '../../src/doctor/clock-check.js';
import { examine, type Finding } from '../../src/doctor/finding.js';
import { thisProcess } from '../../src/local-disk/process-identity.js';
import { isSuitableNode } from '../../src/node-version.js';
import { bareLock } from '../support/bare-lock.js';
import { CliProcess, type Ended, emptyFolder, jsonFile, runCli } from '../support/cli-run.js';
import { filesIn } from '../support/cli-workspace.js';
import { apiError, blackHole, closedPort, httpAnswering } from '../support/dead-servers.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { fakeFor, LIVE_ACCOUNT, LIVE_KEY } from '../support/live-scene.js';

const FIVE = fileURLToPath(
  new URL('../../fixtures/flow-runs/five-templates.json', import.meta.url),
);

// Most of them wait for what does not answer.
vi.setConfig({ maxConcurrency: 8 });

type OnTestFinished = (undo: () => Promise<void>) => void;
type Env = Readonly<Record<string, string>>;

/** The promise is 20 s; a process on a busy machine needs some to start. */
const MOST_MS = 30_000;

interface Told extends Ended {
  readonly ok: boolean;
  readonly checks: readonly Finding[];
  /** The findings of one check. */
  of(name: string): readonly Finding[];
}

async function doctor(cwd: string, flags: readonly string[] = [], env: Env = {}): Promise<Told> {
  const startedAt = performance.now();
  const ended = await runCli(['doctor', '--json', ...flags], { cwd, env });
  expect(performance.now() - startedAt).toBeLessThan(MOST_MS);
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toMatch(/^\{.*\}\n$/);
  expect(ended.stdout).not.toContain(LIVE_KEY);
  const { ok, checks } = JSON.parse(ended.stdout) as Told;
  const failures = checks.filter(({ state }) => state === 'failed');
  expect([ok, ended.exitCode]).toEqual(failures.length === 0 ? [true, 0] : [false, 1]);
  for (const { state, fact, remedy } of checks) {
    expect(fact).toMatch(/^[^\n]{2,300}$/);
    expect(fact).not.toMatch(/bug in this worker/);
    const isWrong = state === 'failed' || state === 'warning';
    if (isWrong) expect(remedy).toMatch(/^[^\n]{5,300}$/);
    else expect(remedy).toBeUndefined();
  }
  return { ...ended, ok, checks, of: (name) => checks.filter((check) => check.name === name) };
}

function failing({ checks }: Told): string[] {
  return checks.filter(({ state }) => state === 'failed').map(({ name }) => name);
}

/** Answers as Chart-IMG does to a request without a key, at some other time. */
async function chartImgAt(offsetMs: number, onTestFinished: OnTestFinished) {
  const fake = await fakeFor(onTestFinished, { keys: [] });
  const date = new Date(Date.now() + offsetMs).toUTCString();
  fake.faults.add({ fault: { act: 'answer', status: 403, headers: { date } } });
  return fake;
}

describe('on this machine', { concurrent: true }, () => {
  test('all is well in an empty folder, which stays empty', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const told = await doctor(cwd, ['--write']);
    expect(failing(told)).toEqual([]);
    expect(told.of('node')).toEqual([{ name: 'node', state: 'ok', fact: process.versions.node }]);
    expect(told.of('workspace')[0]?.fact).toMatch(/is not there yet, and can be made$/);
    for (const name of ['credentials', 'project', 'database', 'bucket', 'write', 'chart-img']) {
      expect(told.of(name), name).toMatchObject([{ state: 'skipped' }]);
    }
    expect(await filesIn(cwd)).toEqual({});
  });

  test('in words: a line a check, a remedy below what failed', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const flags = ['--charts-api-mode', 'real', '--concurrency'];
    const env = { CHART_IMG_BASE_URL: 'http://example.com', CHARTS_CONCURRENCY: '0' };
    const { exitCode, stdout } = await runCli(['doctor', ...flags.slice(0, 2)], { cwd, env });
    expect(exitCode).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^\d checks failed$/);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(?:[✔✖–!] [a-z-]+ {2,}\S.*| {2}→ \S.*)$/);
    }
    for (const [index, line] of lines.entries()) {
      expect(line.startsWith('  →'), line).toBe(/^[✖!]/.test(lines[index - 1] ?? ''));
    }
    expect(stdout).toMatch(/^✖ config +CHARTS_CONCURRENCY: "0" is not /m);
    expect(stdout).toMatch(/^✔ templates /m);
  });

  test('a Node that is too old', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const versions = "{ ...process.versions, node: '20.14.1' }";
    const older = `Object.defineProperty(process, 'versions', { value: ${versions} })`;
    const preload = [`data:text/javascript,${encodeURIComponent(older)}`];
    const { exitCode, stdout } = await runCli(['doctor'], { cwd, preload });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✖ node +20\.14\.1 is too old\n {2}→ install Node\.js 20\.16/);
    const argv = ['run-local', '--flow-run-path', FIVE, '--output-summary', 'json'];
    const run = await runCli(argv, { cwd, preload });
    expect([run.exitCode, run.stderr]).toEqual([
      2,
      'error: Node.js 20.14.1 is too old; install Node.js 20.16, 22.3 or newer\n',
    ]);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR' });
    expect(await readdir(cwd)).toEqual([]);
    const help = await runCli(['--help'], { cwd, preload });
    expect(help.exitCode).toBe(0);
  });

  test.for([
    ['20.15.1', false],
    ['20.16.0', true],
    ['21.7.3', false],
    ['22.2.0', false],
    ['22.3.0', true],
    ['23.0.0', true],
    ['26.10.0', true],
    ['18.20.8', false],
  ] as const)('Node.js %s is suitable: %s', ([version, suits]) => {
    expect(isSuitableNode(version)).toBe(suits);
  });

  test('what is suitable is what npm is told', () => {
    expect(packageJson.engines.node).toBe('^20.16 || >=22.3');
  });

  test('a workspace that is a file', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await writeFile(join(cwd, 'ws'), '');
    expect(failing(await doctor(cwd, ['--workspace', 'ws']))).toEqual(['workspace']);
    expect(failing(await doctor(cwd, ['--workspace', 'ws/below']))).toEqual(['workspace']);
    // The remedy.
    expect(failing(await doctor(cwd, ['--workspace', 'other']))).toEqual([]);
  });

  test('a lock that is held, one whose holder died, one for a moment', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const root = join(cwd, '.worker-chart-export');
    await mkdir(root);
    const held = await bareLock(root).acquire();
    const told = await doctor(cwd);
    expect(failing(told)).toEqual(['lock']);
    expect(told.of('lock')[0]?.fact).toContain(`process ${process.pid} on `);
    const during = doctor(cwd);
    setTimeout(() => held.release(), 1_000);
    expect(failing(await during)).toEqual([]);
    const dead = { ...thisProcess(), pid: 999_999_999, nonce: crypto.randomUUID() };
    await writeFile(join(root, '.lock'), JSON.stringify(dead));
    expect(failing(await doctor(cwd))).toEqual([]);
  });

  test('a lock of nobody: its remedy works', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await mkdir(join(cwd, '.worker-chart-export'));
    const link = join(cwd, '.worker-chart-export', '.lock');
    const elsewhere = { host: 'elsewhere', pid: 1, started: 'x', nonce: crypto.randomUUID() };
    await writeFile(link, JSON.stringify(elsewhere));
    const told = await doctor(cwd);
    expect(told.of('lock')[0]?.remedy).toContain(`delete ${link}`);
    const { unlink } = await import('node:fs/promises');
    await unlink(link);
    expect(failing(await doctor(cwd))).toEqual([]);
    await writeFile(link, '');
    expect((await doctor(cwd)).of('lock')).toMatchObject([
      { fact: `${link} is no lock of this program, and names no process`, remedy: 'delete it' },
    ]);
  });

  test.for([
    [['--charts-api-mode', 'fake'], {}, 'correct --charts-api-mode, or leave it out'],
    [[], { CHARTS_BACKEND: 'fake' }, 'correct CHARTS_BACKEND, or leave it out'],
    [['--backend', 'gcp'], {}, 'name it with --charts-bucket or CHARTS_BUCKET'],
  ] as const)('%j, %j: its own remedy', async ([flags, env, remedy], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    expect((await doctor(cwd, flags, env)).of('config')).toMatchObject([{ remedy }]);
  });

  test('fixtures: none, not there, some', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const flags = ['--fixtures-dir', 'own'];
    expect(failing(await doctor(cwd, flags))).toContain('config');
    await mkdir(join(cwd, 'own'));
    expect(failing(await doctor(cwd, flags))).toEqual(['fixtures']);
    await writeFile(join(cwd, 'own', 'x.png'), '');
    const told = await doctor(cwd, flags);
    expect(failing(told)).toEqual([]);
    expect(told.of('fixtures')[0]?.fact).toMatch(/^1 in .*own, \d+ in the bundled set$/);
  });

  test.for([
    ['--templates-dir', 'templates'],
    ['--fixtures-dir', 'fixtures'],
  ] as const)('a %s that cannot be read', async ([flag, name], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await symlink('loop', join(cwd, 'loop'));
    const told = await doctor(cwd, [flag, 'loop/x']);
    expect(told.of(name)).toMatchObject([
      { state: 'failed', remedy: expect.stringContaining(flag) },
    ]);
    expect(told.of(name)[0]?.fact).toMatch(/cannot be read/);
  });

  test('a template that is none', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await mkdir(join(cwd, 'own'));
    await writeFile(join(cwd, 'own', 'ctpl_x.json'), '{');
    const told = await doctor(cwd, ['--templates-dir', 'own']);
    expect(failing(told)).toEqual(['templates']);
    expect(told.of('templates')[0]?.fact).toMatch(/^ctpl_x: /);
  });

  test('what is refused altogether does not stop the rest', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const told = await doctor(cwd, ['--charts-api-mode', 'record'], { ENV: 'prod' });
    expect(failing(told)).toEqual(['config']);
    expect(told.of('workspace')).toMatchObject([{ state: 'ok' }]);
  });
});

describe('accounts', { concurrent: true }, () => {
  test('a file that others can read, and its remedy', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const path = await jsonFile(cwd, 'accounts.json', [LIVE_ACCOUNT]);
    await chmod(path, 0o644);
    const flags = ['--accounts-config-path', 'accounts.json'];
    const told = await doctor(cwd, flags);
    expect(failing(told)).toEqual(['accounts']);
    const [{ fact, remedy = '' } = { fact: '' }] = told.of('accounts');
    expect(fact).toMatch(/^1 \(acc-1\), .* mode 0644: others can read its keys$/);
    expect(remedy).toBe(`chmod 600 ${path}`);
    const { execFileSync } = await import('node:child_process');
    execFileSync('sh', ['-c', remedy]);
    expect((await doctor(cwd, flags)).of('accounts')[0]).toMatchObject({ state: 'ok' });
  });

  test.for([
    { what: 'not JSON', text: `[{"apiKey": "${LIVE_KEY}"` },
    { what: 'twice the same', text: JSON.stringify([LIVE_ACCOUNT, LIVE_ACCOUNT]) },
    { what: 'no accounts', text: '{}' },
  ])('a file that is wrong, $what: once, without its keys', async ({ text }, context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    await writeFile(join(cwd, 'accounts.json'), text, { mode: 0o600 });
    const told = await doctor(cwd, ['--accounts-config-path', 'accounts.json']);
    expect(new Set(failing(told))).toEqual(new Set(['accounts']));
  });

  test('none, in real mode', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { url } = await fakeFor(onTestFinished, { keys: [] });
    const flags = ['--charts-api-mode', 'real'];
    const env = { CHART_IMG_BASE_URL: url };
    expect(failing(await doctor(cwd, flags, env))).toEqual(['accounts']);
    const given = { ...env, CHART_IMG_ACCOUNTS_JSON: JSON.stringify([LIVE_ACCOUNT]) };
    expect(failing(await doctor(cwd, flags, given))).toEqual([]);
  });
});

describe('Chart-IMG', { concurrent: true }, () => {
  const flags = ['--charts-api-mode', 'real'];
  const accounts = { CHART_IMG_ACCOUNTS_JSON: JSON.stringify([LIVE_ACCOUNT]) };

  test('is asked once, without a key, and spends nothing', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const fake = await fakeFor(onTestFinished, { keys: [{ apiKey: LIVE_KEY, plan: 'PRO' }] });
    const told = await doctor(cwd, flags, { ...accounts, CHART_IMG_BASE_URL: fake.url });
    expect(failing(told)).toEqual([]);
    expect(told.of('clock')).toMatchObject([{ state: 'ok' }]);
    expect(fake.requests.map(({ apiKey, status }) => [apiKey, status])).toEqual([['(none)', 401]]);
    expect(fake.counts[LIVE_KEY]).toBeUndefined();
    expect(await filesIn(cwd)).toEqual({});
  });

  test.for([
    { what: 'a closed port', open: closedPort, says: /connection was refused/ },
    { what: 'a black hole', open: blackHole, says: /no whole answer within 8 s/ },
  ])('$what', async ({ open, says }, context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    const CHART_IMG_BASE_URL = `http://127.0.0.1:${await open(context.onTestFinished)}`;
    const told = await doctor(cwd, flags, { ...accounts, CHART_IMG_BASE_URL });
    expect(failing(told)).toEqual(['chart-img']);
    expect(told.of('chart-img')[0]?.fact).toMatch(says);
    expect(told.of('clock')).toMatchObject([{ state: 'skipped' }]);
  });

  test.for([200, 404, 302, 503])('HTTP %i is not what it answers', async (status, context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    const fake = await fakeFor(context.onTestFinished, { keys: [] });
    fake.faults.add({ fault: { act: 'answer', status, headers: { location: fake.url } } });
    const told = await doctor(cwd, flags, { ...accounts, CHART_IMG_BASE_URL: fake.url });
    expect(failing(told)).toEqual(['chart-img']);
    expect(fake.requests).toHaveLength(1);
  });

  test('an answer without end', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const fake = await fakeFor(onTestFinished, { keys: [] });
    fake.faults.add({ fault: { act: 'endless', status: 403, chunk: 'x', everyMs: 0 } });
    const told = await doctor(cwd, flags, { ...accounts, CHART_IMG_BASE_URL: fake.url });
    expect(failing(told)).toEqual([]);
  });

  // To the second, and less what the answer took.
  test.for([
    { offsetMs: -60_000, says: /^(5[6-9]|6[01]) s ahead of 127/ },
    { offsetMs: 60_000, says: /^(5[6-9]|60) s behind 127/ },
  ])('a clock $offsetMs ms off is a warning', async ({ offsetMs, says }, context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    const { url } = await chartImgAt(offsetMs, context.onTestFinished);
    const told = await doctor(cwd, flags, { ...accounts, CHART_IMG_BASE_URL: url });
    expect(told.of('clock')).toMatchObject([
      { state: 'warning', fact: expect.stringMatching(says) },
    ]);
    expect(told.exitCode).toBe(0);
  });

  test('Ctrl-C ends it', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const fake = await fakeFor(onTestFinished, { keys: [] });
    fake.faults.add({ fault: { act: 'hang' } });
    const env = { ...accounts, CHART_IMG_BASE_URL: fake.url };
    const run = new CliProcess(['doctor', '--json', ...flags], { cwd, env });
    await fake.arrived(1);
    run.kill('SIGINT');
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INTERRUPTED' } });
  });
});

test.concurrent('a check that never ends is ended', async () => {
  const found = await examine('x', performance.now() + 20, () => new Promise(() => undefined));
  expect(found).toMatchObject([{ name: 'x', state: 'failed', fact: 'no answer in time' }]);
});

describe('the clock', { concurrent: true }, () => {
  const at = (serverMs: number, heardAtMs = 0) =>
    clockSkew({ server: 'S', serverMs, askedAtMs: 0, heardAtMs }).state;

  test('5 s are no warning, more are; a slow answer is none', () => {
    expect([at(5_000), at(-5_000), at(5_001), at(-5_001)]).toEqual([
      ...['ok', 'ok'],
      ...['warning', 'warning'],
    ]);
    expect(at(9_000, 15_000)).toBe('ok');
  });
});

describe('credentials', { concurrent: true }, () => {
  const flags = ['--backend', 'gcp', '--charts-bucket', `gs://${BUCKET}`];

  test('none: what needs them is not asked', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const told = await doctor(cwd, flags, { GOOGLE_CLOUD_PROJECT: 'demo-x' });
    expect(failing(told)).toEqual(['credentials']);
    expect(told.of('credentials')[0]?.remedy).toMatch(/gcloud auth application-default login/);
    expect(told.of('database')).toMatchObject([{ state: 'skipped' }]);
  });

  test('those of gcloud are a person’s, and of no secret a word', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await mkdir(join(cwd, '.config', 'gcloud'), { recursive: true });
    const person = { type: 'authorized_user', client_id: 'c', client_secret: LIVE_KEY };
    const file = '.config/gcloud/application_default_credentials.json';
    await jsonFile(cwd, file, { ...person, refresh_token: `${LIVE_KEY}-refresh` });
    const told = await doctor(cwd, ['--backend', 'gcp', '--project', 'demo-x']);
    expect(told.of('credentials')[0]).toMatchObject({
      state: 'ok',
      fact: 'a person, from gcloud’s own file',
    });
  });

  test('a service account is named, and nothing else of its file', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const key = {
      type: 'service_account',
      client_email: 'robot@demo-x.iam.gserviceaccount.com',
      private_key: LIVE_KEY,
      private_key_id: 'id-that-nobody-shows',
      project_id: 'demo-x',
    };
    const GOOGLE_APPLICATION_CREDENTIALS = await jsonFile(cwd, 'key.json', key);
    const told = await doctor(cwd, ['--backend', 'gcp'], { GOOGLE_APPLICATION_CREDENTIALS });
    expect(told.of('credentials')[0]?.fact).toBe(
      `service account ${key.client_email}, from ${GOOGLE_APPLICATION_CREDENTIALS}`,
    );
    expect(told.of('project')[0]).toMatchObject({ state: 'ok', fact: 'demo-x' });
    expect(told.stdout).not.toContain(key.private_key_id);
    // The rest of such a key is no good, and no bucket is named.
    expect(failing(told)).toContain('config');
  });
});

describe.skipIf(whyNoEmulator)(`on gcp ${whyNoEmulator}`, { concurrent: true }, () => {
  async function scene(onTestFinished: OnTestFinished) {
    const opened = await GcpScene.open(onTestFinished);
    const path = new URL(
      '../../fixtures/chart-templates/ctpl_price_ma1226_vol_v1.json',
      import.meta.url,
    );
    const template = JSON.parse(await readFile(path, 'utf8'));
    await opened.put(`chart_templates/${template.id}`, template);
    const flags = ['--backend', 'gcp', '--charts-bucket', `gs://${BUCKET}`];
    return {
      scene: opened,
      check: (more: readonly string[] = [], env: Env = {}) =>
        doctor(opened.cwd, [...flags, ...more], { ...opened.env, ...env }),
    };
  }

  test('all is well, and nothing is written', async ({ onTestFinished }) => {
    const { scene: opened, check } = await scene(onTestFinished);
    const told = await check();
    expect(failing(told)).toEqual([]);
    expect(told.of('templates').map(({ fact }) => fact)).toContain('1 in Firestore');
    expect(told.of('clock')).toMatchObject([{ state: 'ok', fact: 'within 5 s of Firestore' }]);
    expect(told.of('write')).toEqual([
      { name: 'write', state: 'skipped', fact: 'only with --write' },
    ]);
    expect(new Set(opened.storage.requests.map(({ kind }) => kind))).toEqual(new Set(['list']));
    expect(opened.storage.violations).toEqual([]);
    expect(await filesIn(opened.cwd)).toEqual({});
  });

  test('--write puts and deletes, and leaves nothing', async ({ onTestFinished }) => {
    const { scene: opened, check } = await scene(onTestFinished);
    const told = await check(['--write']);
    expect(failing(told)).toEqual([]);
    const { storage } = opened;
    expect([storage.count('put'), storage.count('delete')]).toEqual([1, 1]);
    expect(storage.objects(BUCKET)).toEqual([]);
    expect(told.of('write')[0]?.fact).toMatch(
      /^gs:\/\/charts-bucket\/charts-doctor\/\S+ was put and deleted$/,
    );
  });

  test('--write: a put whose reply is lost leaves nothing either', async ({ onTestFinished }) => {
    const { scene: opened, check } = await scene(onTestFinished);
    opened.storage.faults.add({ kind: 'put', fault: { act: 'close', when: 'after' } });
    expect(failing(await check(['--write']))).toEqual([]);
    expect(opened.storage.objects(BUCKET)).toEqual([]);
  });

  test('--write: what cannot be deleted is named', async ({ onTestFinished }) => {
    const { scene: opened, check } = await scene(onTestFinished);
    const fault = { act: 'refuse', status: 403, reason: 'forbidden' } as const;
    opened.storage.faults.add({ kind: 'delete', times: 'forever', fault });
    const told = await check(['--write']);
    expect(failing(told)).toEqual(['write']);
    const [left] = opened.storage.objects(BUCKET);
    expect(told.of('write')[0]?.remedy).toContain(`gs://${BUCKET}/${left?.name}`);
  });

  test('no such bucket, and its remedy', async ({ onTestFinished }) => {
    const { check } = await scene(onTestFinished);
    const told = await check(['--charts-bucket', 'gs://no-such-bucket', '--write']);
    expect(failing(told)).toEqual(['bucket']);
    expect(told.of('bucket')[0]).toMatchObject({
      fact: expect.stringMatching(/^there is no bucket gs:\/\/no-such-bucket/),
      remedy: 'create it, or name another one',
    });
    expect(told.of('write')).toMatchObject([{ state: 'skipped' }]);
  });

  test('no templates anywhere', async ({ onTestFinished }) => {
    const { cwd, env } = await GcpScene.open(onTestFinished);
    const flags = ['--backend', 'gcp', '--charts-bucket', `gs://${BUCKET}`];
    const told = await doctor(cwd, flags, env);
    expect(failing(told)).toEqual(['templates']);
  });

  const dead: readonly {
    what: string;
    name: string;
    env: (undo: OnTestFinished) => Promise<Env>;
  }[] = [
    {
      what: 'Firestore: a closed port',
      name: 'database',
      env: async () => ({ FIRESTORE_EMULATOR_HOST: `127.0.0.1:${await closedPort()}` }),
    },
    {
      what: 'Firestore: a black hole',
      name: 'database',
      env: async (undo) => ({ FIRESTORE_EMULATOR_HOST: `127.0.0.1:${await blackHole(undo)}` }),
    },
    {
      what: 'Firestore: no permission',
      name: 'database',
      env: async (undo) => {
        const port = await httpAnswering(
          apiError('PERMISSION_DENIED', 'Missing permissions.'),
          undo,
        );
        return { FIRESTORE_EMULATOR_HOST: `127.0.0.1:${port}` };
      },
    },
    {
      what: 'Storage: a closed port',
      name: 'bucket',
      env: async () => ({ STORAGE_EMULATOR_HOST: `http://127.0.0.1:${await closedPort()}` }),
    },
    {
      what: 'Storage: a black hole',
      name: 'bucket',
      env: async (undo) => ({
        STORAGE_EMULATOR_HOST: `http://127.0.0.1:${await blackHole(undo)}`,
      }),
    },
  ];

  test.concurrent.for(dead)('$what', async ({ name, env }, { onTestFinished }) => {
    const { check } = await scene(onTestFinished);
    const told = await check(['--write'], await env(onTestFinished));
    expect(failing(told)).toEqual([name]);
  });

  test('all of it a black hole: it ends all the same', async ({ onTestFinished }) => {
    const { check } = await scene(onTestFinished);
    const port = await blackHole(onTestFinished);
    const told = await check(['--write', '--charts-api-mode', 'real'], {
      FIRESTORE_EMULATOR_HOST: `127.0.0.1:${port}`,
      STORAGE_EMULATOR_HOST: `http://127.0.0.1:${port}`,
      CHART_IMG_BASE_URL: `http://127.0.0.1:${port}`,
      CHART_IMG_ACCOUNTS_JSON: JSON.stringify([LIVE_ACCOUNT]),
    });
    expect(failing(told)).toEqual(['database', 'bucket', 'chart-img']);
  });
});
