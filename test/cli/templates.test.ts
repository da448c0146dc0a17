import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAN_NAMES } from '../../src/accounts/plans.js';
import { changeLine, diffJson } from '../../src/cli/templates/json-diff.js';
import { lintFile } from '../../src/cli/templates/lint.js';
import { lintTemplate } from '../../src/cli/templates/lint-template.js';
import { notStorable, pushTo } from '../../src/cli/templates/push.js';
import { bundled } from '../../src/config/bundled.js';
import type { PlaceConfig } from '../../src/config/worker-config.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { StoreUnavailable } from '../../src/failures.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { Logger } from '../../src/log/logger.js';
import { emptyFolder, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { CliWorkspace, filesIn } from '../support/cli-workspace.js';
import { draw } from '../support/fake-chart-img/answers.js';
import { PLANS } from '../support/fake-chart-img/plans.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { GcpScene } from '../support/gcp-scene.js';
import { runOnPty, whyNoPty } from '../support/pty.js';
import { runOnTerminal, whyNoTerminal } from '../support/terminal.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

function template(id: string, request: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return {
    id,
    description: `the ${id}`,
    chartImgSymbolTemplate: 'BINANCE:{symbol}',
    request,
    ...more,
  };
}

/** A folder that holds `templates/` with these documents, each named after its id. */
async function folderOf(onTestFinished: OnTestFinished, ...templates: readonly JsonObject[]) {
  const cwd = await emptyFolder(onTestFinished);
  const folder = join(cwd, 'templates');
  await mkdir(folder);
  for (const one of templates) await jsonFile(folder, `${one.id}.json`, one);
  return { cwd, folder };
}

const volumes = (count: number) => Array.from({ length: count }, () => ({ name: 'Volume' }));
const GOOD = template('good', { height: 600, studies: [{ name: 'Volume' }] });
const WIDE = template('wide', { width: 1920, height: 1700, studies: volumes(4) });
const WRONG = template('wrong', { studies: [{ name: 'RSI' }] });

describe('templates lint', () => {
  test('says plan by plan what draws, and why not', async ({ onTestFinished }) => {
    const { cwd } = await folderOf(onTestFinished, GOOD, WIDE);
    const { exitCode, stdout, stderr } = await runCli(['templates', 'lint', 'templates'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'template  BASIC  PRO    MEGA   ULTRA  ENTERPRISE',
      'good      ok     ok     ok     ok     ok',
      'wide      fails  fails  fails  ok     ok',
      'templates/wide.json: plan: request.width: 1920 pixels are more than the 800 of BASIC',
      'templates/wide.json: plan: request.height: 1700 pixels are more than the 600 of BASIC, 1080 of PRO, 1600 of MEGA',
      'templates/wide.json: plan: request.studies: 4 studies and drawings are more than the 3 of BASIC',
      '2 templates, 0 invalid',
      '',
    ]);
  });

  test.skipIf(whyNoTerminal)(
    `fits a narrow terminal ${whyNoTerminal}`,
    async ({ onTestFinished }) => {
      const { cwd } = await folderOf(onTestFinished, template('a_name_that_is_longer_than_others'));
      const argv = ['templates', 'lint', 'templates'];
      const { pieces } = await runOnTerminal(argv, { cwd, columns: 50 });
      expect(pieces[0]).toMatch(/^template +BASIC +PRO +MEGA +ULTRA +ENTERPRI?/);
      expect(Math.max(...pieces.map((line) => line.length))).toBeLessThanOrEqual(50);
    },
  );

  test.for([
    ['a study that does not exist', WRONG, 'request.studies[0].name: "RSI" is not a study of'],
    ['an id that its name does not have', { ...GOOD, id: 'other' }, 'id: must be t, as the name'],
    ['more than any plan draws', template('t', { width: 3000 }), 'request.width: 3000 is more'],
    ['fields that are missing', { id: 't' }, 'description: is required'],
    ['no symbol', template('t', {}, { chartImgSymbolTemplate: 'X' }), 'chartImgSymbolTemplate: '],
    ['what every object has', template('constructor'), 'id: is not allowed'],
  ] as const)('%s: exit 1', async ([, wrong, words], { onTestFinished }) => {
    const { cwd } = await folderOf(onTestFinished, GOOD);
    const name = wrong === WRONG ? 'wrong' : wrong.id === 'constructor' ? 'constructor' : 't';
    await jsonFile(cwd, `${name}.json`, wrong);
    const argv = ['templates', 'lint', `${name}.json`, 'templates'];
    const { exitCode, stdout } = await runCli(argv, { cwd });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`\n${name}.json: ${words}`);
    expect(stdout).toMatch(/\n2 templates, 1 invalid\n$/);
    const { exitCode: again, stdout: line } = await runCli([...argv, '--json'], { cwd });
    expect(again).toBe(1);
    expect(JSON.parse(line)).toMatchObject({
      ok: false,
      templates: [
        { file: `${name}.json`, plans: [] },
        { id: 'good', errors: [], plans: PLAN_NAMES },
      ],
    });
  });

  test('not JSON is one finding among others', async ({ onTestFinished }) => {
    const { cwd, folder } = await folderOf(onTestFinished, GOOD);
    await writeFile(join(folder, 'bad.json'), '{"id": "bad",\n');
    const { exitCode, stdout } = await runCli(['templates', 'lint', 'templates'], { cwd });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('templates/bad.json: (document): is not JSON (line 2, column 1)\n');
  });

  test('without a path: --templates-dir, else those of the package', async ({ onTestFinished }) => {
    const { cwd } = await folderOf(onTestFinished, GOOD);
    const own = await runCli(['templates', 'lint', '--templates-dir', 'templates'], { cwd });
    expect(own.stdout).toMatch(/\n1 template, 0 invalid\n$/);
    const env = { CHARTS_TEMPLATES_DIR: 'templates' };
    expect((await runCli(['templates', 'lint'], { cwd, env })).stdout).toBe(own.stdout);
    const shipped = await runCli(['templates', 'lint'], { cwd });
    expect(shipped).toMatchObject({ exitCode: 0 });
    expect(shipped.stdout).toMatch(/\n5 templates that come with the package, 0 invalid\n$/);
  });

  test('what is not there, and an empty folder: exit 2', async ({ onTestFinished }) => {
    const { cwd } = await folderOf(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(['templates', 'lint', 'templates', 'no'], {
      cwd,
    });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(logLines(stderr)).toMatchObject([
      {
        event: 'config_error',
        message:
          'templates holds no chart templates (<id>.json); no cannot be read: no such file or directory',
      },
    ]);
  });

  test('never throws, whatever JSON comes, and finds what differs', () => {
    const ids = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), ids, (one, other, id) => {
        lintTemplate(one, id);
        lintTemplate({ ...GOOD, request: one }, id);
        notStorable(one);
        const changes = diffJson(one, other);
        for (const change of changes) expect(changeLine(change)).not.toBe('');
        // -0 is 0 in JSON text.
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(changes.length === 0).toBe(isSame);
        expect(diffJson(one, structuredClone(one))).toEqual([]);
      }),
    );
  });

  test('neither throws for what is nested deeper than the stack', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    for (const change of diffJson({ a: deep }, { a: 1 })) changeLine(change);
    for (const change of diffJson({ a: deep }, { a: [deep] })) changeLine(change);
    lintTemplate({ ...GOOD, request: { drawings: deep } }, 'good');
    expect(notStorable({ a: deep })).not.toEqual([]);
  });

  test('agrees with Chart-IMG itself, plan by plan', () => {
    const edges = Object.values(PLANS).flatMap((plan) => {
      return [plan.maxWidth, plan.maxHeight].flatMap((most) => [most, most + 1]);
    });
    const size = (most: number) => {
      return fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 400, max: most }));
    };
    fc.assert(
      fc.property(
        size(2_300),
        size(2_100),
        fc.nat(55),
        fc.nat(3),
        (width, height, count, lines) => {
          const studies = volumes(count);
          const drawings = Array.from({ length: lines }, () => ({ name: 'Horizontal Line' }));
          const asked = template('t', { width, height, studies, drawings });
          const { plans } = lintTemplate(asked, 't');
          const body = Buffer.from(
            JSON.stringify({ ...(asked.request as object), symbol: 'BINANCE:BTCUSDT' }),
          );
          const headers = { 'content-type': 'application/json' };
          const drawing = PLAN_NAMES.filter((plan) => {
            const question = { method: 'POST', path: '/', headers, body };
            return draw(question, { apiKey: 'k', plan }).status === 200;
          });
          expect(Object.keys(PLANS)).toEqual(PLAN_NAMES);
          expect(plans).toEqual(drawing);
        },
      ),
      { numRuns: 150 },
    );
  });
});

function sorted(value: unknown): unknown {
  // An empty list is no empty object.
  if (Array.isArray(value)) return ['list', ...value.map(sorted)];
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return ['object', ...entries.map(([key, child]) => [key, sorted(child)])];
}

describe('templates list', () => {
  test('what a run would find, and what that hides', async ({ onTestFinished }) => {
    const ID = 'ctpl_price_psar_adi_v1';
    const { cwd } = await folderOf(onTestFinished, template(ID, { width: 1000 }), WRONG);
    const argv = ['templates', 'list', '--templates-dir', 'templates'];
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(
      [
        `${ID}  the ${ID}`,
        `  from     templates-dir: templates/${ID}.json`,
        '  hides    the bundled set',
        '  size     1000×600, plan PRO or larger',
        '  studies  -',
        '',
      ].join('\n'),
    );
    expect(stdout).toContain(
      'wrong  INVALID\n  from     templates-dir: templates/wrong.json\n  error    request.studies[0]',
    );
    expect(stdout).toMatch(
      /\n6 templates, 1 invalid; looked in workspace \S+, then in \S+, then in the bundled set\n$/,
    );
    expect(await readdir(cwd)).toEqual(['templates']);

    expect(
      (await runCli(['templates', 'push', join('templates', `${ID}.json`)], { cwd })).exitCode,
    ).toBe(0);
    const { templates } = JSON.parse((await runCli([...argv, '--json'], { cwd })).stdout);
    const of = (id: string) => templates.filter((one: JsonObject) => one.id === id);
    expect(of(ID)).toMatchObject([
      { from: 'store', shadowedBy: null, width: 1000, studies: [] },
      { from: 'templates-dir', shadowedBy: 'store' },
      {
        from: 'bundled',
        shadowedBy: 'store',
        width: 800,
        studies: ['Parabolic SAR', 'Average Directional Index'],
      },
    ]);
    expect(of('wrong')).toMatchObject([{ plans: [], errors: [expect.stringContaining('RSI')] }]);
  });

  test('what stands in a description speaks to no terminal', async ({ onTestFinished }) => {
    const hostile = template('hostile', {}, { description: 'a\u001b[2Jb\u009bc\nd\u202ee' });
    const { cwd } = await folderOf(onTestFinished, hostile);
    const { stdout } = await runCli(['templates', 'list', '--templates-dir', 'templates'], { cwd });
    expect(stdout).toContain('hostile  a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFDe\n');
  });
});

describe('templates push', () => {
  test('writes what differs, shows it, and nothing the second time', async ({ onTestFinished }) => {
    const { cwd, folder } = await folderOf(onTestFinished, GOOD, WIDE);
    const push = (...flags: string[]) =>
      runCli(['templates', 'push', 'templates', ...flags], { cwd });
    const workspace = new CliWorkspace(cwd);

    const look = await push('--dry-run');
    expect(look).toMatchObject({ exitCode: 0, stderr: '' });
    expect(look.stdout).toContain('new      good  (templates/good.json)\n');
    expect(look.stdout).toMatch(/\nwould write 2 templates to workspace /);
    expect(await readdir(cwd)).toEqual(['templates']);

    expect((await push()).stdout).toMatch(/\nwrote 2 templates to workspace /);
    expect(await workspace.document('chart_templates', 'good')).toEqual(GOOD);
    const before = await filesIn(workspace.root);
    const again = await push();
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nnothing to write: 2 templates the same\n$/),
    });
    expect(await filesIn(workspace.root)).toEqual(before);

    const changed = template('good', { height: 500, theme: 'dark', studies: [] });
    await jsonFile(folder, 'good.json', changed);
    const third = await push();
    expect(third.exitCode).toBe(0);
    expect(third.stdout).toContain(
      [
        'changed  good  (templates/good.json)',
        '  request.height: 600 → 500',
        '  request.studies[0]: removed {"name":"Volume"}',
        '  request.theme: added "dark"',
        'wrote 1 template to workspace ',
      ].join('\n'),
    );
    expect(third.stdout).toContain(', 1 the same already\n');
    expect(await workspace.document('chart_templates', 'good')).toEqual(changed);

    const { stdout } = await push('--json');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      written: 0,
      templates: [
        { id: 'good', action: 'same' },
        { id: 'wide', action: 'same' },
      ],
    });
  });

  test.for([
    ['an invalid template', ['templates'], 'request.studies[0].name'],
    [
      'an id that is there twice',
      ['templates/good.json', 'more'],
      'id: good is also in templates/good.json; name one of them',
    ],
  ] as const)('%s: nothing at all is written', async ([, named, words], { onTestFinished }) => {
    const { cwd, folder } = await folderOf(onTestFinished, GOOD, WRONG);
    await mkdir(join(cwd, 'more'));
    await cp(join(folder, 'good.json'), join(cwd, 'more', 'good.json'));
    const { exitCode, stdout } = await runCli(['templates', 'push', ...named], { cwd });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(words);
    expect(stdout).toMatch(/\nnothing written: 1 template of 2 invalid\n$/);
    expect(await readdir(cwd)).toEqual(['more', 'templates']);
  });

  test('without a path and without --templates-dir: exit 2', async ({ onTestFinished }) => {
    const { cwd } = await folderOf(onTestFinished, GOOD);
    const { exitCode, stderr } = await runCli(['templates', 'push'], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('name the chart templates to push');
    const named = await runCli(['templates', 'push', '--templates-dir', 'templates'], { cwd });
    expect(named.exitCode).toBe(0);
  });

  test.skipIf(whyNoPty)(
    'a workspace is written on a terminal without a question',
    async ({ onTestFinished }) => {
      const { cwd } = await folderOf(onTestFinished, GOOD);
      const { exitCode, screen } = await runOnPty(['templates', 'push', 'templates'], { cwd });
      expect(exitCode).toBe(0);
      expect(screen).toMatch(
        /^new {6}good {2}\(templates\/good\.json\)\nwrote 1 template to workspace \S+\n$/,
      );
    },
  );
});

/** What a push needs to know of a Firestore that is no emulator. */
function realPlace(emulator?: string): PlaceConfig {
  return {
    backend: 'gcp',
    cloud: {
      projectId: 'my-project',
      database: '(default)',
      firestoreEmulatorHost: emulator,
      storageEmulatorUrl: undefined,
      proxy: {},
    },
    bucket: 'local',
    touchesObjects: false,
    workspace: '/nowhere',
    templatesDir: undefined,
  };
}

/** A push to what counts as a real Firestore, with somebody or nobody at the terminal. */
async function pushToReal(
  documents: DocumentStore,
  { answer, flags = {} }: { answer?: string | null; flags?: { yes?: boolean; dryRun?: boolean } },
  config = realPlace(),
) {
  const isTTY = answer !== undefined;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said += chunk;
    if (said.includes('[y/N]')) stdin.end(answer ?? '');
  });
  const log: string[] = [];
  const session = {
    signal: new AbortController().signal,
    logger: new Logger(({ message }) => log.push(message)),
    redact: (text: string) => text,
    closeLog: () => undefined,
  };
  const files = [lintFile({ name: 'good.json', id: 'good', read: { ok: true, value: GOOD } })];
  const push = { config, documents, findings: [] };
  const told = await pushTo(push, files, { flags }, session, { stdin, stderr });
  return { ...told, said, log };
}

describe('a push to a real Firestore', () => {
  async function store(onTestFinished: OnTestFinished) {
    const workspace = await Workspace.open(join(await emptyFolder(onTestFinished), 'workspace'));
    onTestFinished(() => workspace.close());
    return new LocalDocumentStore(workspace);
  }
  const stored = async (documents: DocumentStore) =>
    (await documents.read(['chart_templates/good'])).get('chart_templates/good')?.data;

  test.for([
    ['y\n', 0],
    ['Yes\n', 0],
    ['\n', 1],
    ['n\n', 1],
    ['yesterday\n', 1],
    [null, 1],
  ] as const)('is asked about once: %j', async ([answer, exitCode], { onTestFinished }) => {
    const documents = await store(onTestFinished);
    const told = await pushToReal(documents, { answer });
    expect(told.exitCode).toBe(exitCode);
    expect(told.said).toBe(
      'new      good  (good.json)\nwrite 1 template to chart_templates in Firestore database (default) of project my-project? [y/N] ',
    );
    expect(await stored(documents)).toEqual(exitCode === 0 ? GOOD : undefined);
    expect(told.text).toMatch(exitCode === 0 ? /^wrote 1 template to / : /^nothing written\n$/);
  });

  test('without a terminal it is refused, unless --yes', async ({ onTestFinished }) => {
    const documents = await store(onTestFinished);
    const refused = await pushToReal(documents, {});
    expect(refused).toMatchObject({
      exitCode: 2,
      said: '',
      json: { ok: false, error: { code: 'CONFIG_ERROR' } },
    });
    expect(refused.log).toEqual([
      expect.stringContaining('add --yes to write, or --dry-run to look'),
    ]);
    expect(await stored(documents)).toBeUndefined();
    expect(await pushToReal(documents, { flags: { dryRun: true } })).toMatchObject({
      exitCode: 0,
      said: '',
    });
    expect(await stored(documents)).toBeUndefined();
    expect(await pushToReal(documents, { flags: { yes: true } })).toMatchObject({
      exitCode: 0,
      said: '',
    });
    expect(await stored(documents)).toEqual(GOOD);
    // Nothing to ask about.
    expect(await pushToReal(documents, {})).toMatchObject({ exitCode: 0, said: '' });
  });

  test('nor on an emulator is anybody asked', async ({ onTestFinished }) => {
    const documents = await store(onTestFinished);
    const told = await pushToReal(documents, {}, realPlace('127.0.0.1:8080'));
    expect(told).toMatchObject({ exitCode: 0, said: '' });
  });

  test.for([
    ['created', undefined],
    ['changed', { ...GOOD, description: 'old' }],
  ] as const)(
    'what somebody %s meanwhile is not overwritten',
    async ([, old], { onTestFinished }) => {
      const documents = await store(onTestFinished);
      const path = 'chart_templates/good';
      if (old) await documents.commit([{ kind: 'put', path, data: old }]);
      const theirs = { ...GOOD, description: 'theirs' };
      const racing: DocumentStore = {
        read: (paths) => documents.read(paths),
        list: (collection, page) => documents.list(collection, page),
        commit: async (writes) => {
          await documents.commit([{ kind: 'put', path, data: theirs }]);
          return documents.commit(writes);
        },
      };
      const pushed = pushToReal(racing, { flags: { yes: true } });
      await expect(pushed).rejects.toThrow(StoreUnavailable);
      await expect(pushed).rejects.toThrow('somebody changed chart_templates meanwhile');
      expect(await stored(documents)).toEqual(theirs);
      // As the message says.
      expect(await pushToReal(documents, { flags: { yes: true } })).toMatchObject({ exitCode: 0 });
      expect(await stored(documents)).toEqual(GOOD);
    },
  );

  test.for([true, false])(
    'a lost answer is read back (written: %s)',
    async (isWritten, { onTestFinished }) => {
      const documents = await store(onTestFinished);
      const silent: DocumentStore = {
        read: (paths) => documents.read(paths),
        list: (collection, page) => documents.list(collection, page),
        commit: async (writes) => {
          if (isWritten) await documents.commit(writes);
          return { status: 'unclear', cause: new Error('silence') };
        },
      };
      const pushed = pushToReal(silent, { flags: { yes: true } });
      if (isWritten) expect(await pushed).toMatchObject({ exitCode: 0 });
      else
        await expect(pushed).rejects.toThrow('no answer to the write of 1 template: run it again');
    },
  );

  test('Firestore refuses lists in lists, deep nesting and reserved names', () => {
    expect(notStorable(GOOD)).toEqual([]);
    expect(notStorable({ a: { b: [[1]] } })).toEqual([
      'a.b[0]: is a list in a list, which Firestore does not store',
    ]);
    expect(notStorable({ a: { __x__: 1 } })).toEqual([
      'a.__x__: is a name that Firestore does not store',
    ]);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
    expect(notStorable(deep(20))).toEqual([]);
    expect(notStorable(deep(22))).not.toEqual([]);
  });
});

describe.skipIf(whyNoEmulator)(`templates on gcp ${whyNoEmulator}`, () => {
  const GCP = ['--backend', 'gcp'];

  test('are pushed once, listed, and the bundled set is none of them', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { cwd, env } = scene;
    const at = (...argv: string[]) => runCli(['templates', ...argv, ...GCP], { cwd, env });
    const empty = await at('list');
    expect(empty.exitCode).toBe(0);
    expect(empty.stdout).toBe('0 templates; looked in Firestore (chart_templates)\n');

    const look = await at('push', bundled.templates, '--dry-run');
    expect(look.stdout).toMatch(
      /\nwould write 5 templates to chart_templates in Firestore database \(default\) of project demo-\S+ on the emulator at \S+\n$/,
    );
    expect(await scene.document('chart_templates/ctpl_price_psar_adi_v1')).toBeUndefined();

    expect(await at('push', bundled.templates)).toMatchObject({ exitCode: 0 });
    const file = join(bundled.templates, 'ctpl_price_psar_adi_v1.json');
    expect(await scene.document('chart_templates/ctpl_price_psar_adi_v1')).toEqual(
      JSON.parse(await readFile(file, 'utf8')),
    );
    const written = await scene.documents.read(['chart_templates/ctpl_price_psar_adi_v1']);
    expect((await at('push', bundled.templates)).stdout).toBe(
      'nothing to write: 5 templates the same\n',
    );
    const after = await scene.documents.read(['chart_templates/ctpl_price_psar_adi_v1']);
    const version = (reading: typeof after) =>
      reading.get('chart_templates/ctpl_price_psar_adi_v1')?.version;
    expect(version(after)).toBe(version(written));

    const { stdout } = await at('list', '--json');
    expect(JSON.parse(stdout).templates.map(({ from }: JsonObject) => from)).toEqual(
      Array(5).fill('store'),
    );
    // A run finds them without a folder.
    const run = await scene.run(
      join(bundled.templates, '../flow-runs/five-templates.json'),
      '--create-flow-run',
      '--templates-dir',
      cwd,
    );
    expect(run.summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5 });
  });

  test('what Firestore cannot store is refused before it is asked', async ({ onTestFinished }) => {
    const { cwd, env } = await GcpScene.open(onTestFinished);
    await jsonFile(cwd, 'nested.json', template('nested', { override: { a: [[1]] } }));
    await jsonFile(cwd, 'good.json', GOOD);
    const argv = ['templates', 'push', 'good.json', 'nested.json'];
    const { exitCode, stdout } = await runCli([...argv, ...GCP], { cwd, env });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('nested.json: request.override.a[0]: is a list in a list');
    expect((await runCli(argv, { cwd })).exitCode).toBe(0);
  });
});
