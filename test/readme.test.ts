import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMANDS } from '../src/cli/commands.js';
import { viewOf } from '../src/cli/outcome-view.js';
import { answerOf } from '../src/cloud-event/answers.js';
import { ENV_ALONE, OPTIONS, optionRow } from '../src/config/options.js';
import { PROBLEMS } from '../src/serve/problems.js';
import { emptyFolder, runCli } from './support/cli-run.js';
import { CliWorkspace } from './support/cli-workspace.js';
import { seedWorkspace } from './support/history-scene.js';
import { aSnapshot } from './support/library-samples.js';
import { AT_WORK, ONE_OF_EACH } from './support/one-of-each-outcome.js';
import { Served } from './support/served.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const README = join(REPOSITORY, 'README.md');
const readme = await readFile(README, 'utf8');
const openApi = JSON.parse(await readFile(join(REPOSITORY, 'schemas/openapi.json'), 'utf8'));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``;
}

/** Of the OpenAPI document. */
interface Operation {
  readonly summary: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

const TABLES = {
  commands: table(
    ['command', 'what', 'flags'],
    COMMANDS.map(({ name, operands, what, options }) => [
      code([name, operands].filter(Boolean).join(' ')),
      what,
      options.map((option) => code(optionRow(option).flag.split(' ')[0])).join(' '),
    ]),
  ),
  flags: table(
    ['flag', 'env', 'default', 'what'],
    OPTIONS.map(({ flag, env, fallback, help }) => [code(flag), code(env), fallback ?? '', help]),
  ),
  env: table(
    ['env', 'default', 'what'],
    ENV_ALONE.map(({ name, fallback, help }) => [code(name), fallback ?? '', help]),
  ),
  routes: table(
    ['request', 'what', 'parameters'],
    Object.entries<Readonly<Record<string, Operation>>>(openApi.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { summary, parameters = [] }]) => [
        code(`${method.toUpperCase()} ${path}`),
        summary,
        parameters.flatMap((one) => (one.in === 'query' ? [code(one.name)] : [])).join(' '),
      ]),
    ),
  ),
  problems: table(
    ['code', 'status', 'what'],
    Object.entries(PROBLEMS).map(([name, { status, what }]) => [code(name), String(status), what]),
  ),
};

/** The README with its tables made anew. */
function regenerated(text: string): string {
  return Object.entries(TABLES).reduce(
    (whole, [name, rows]) =>
      whole.replace(
        new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`),
        (_, from, to) => `${from}\n${rows}\n\n${to}`,
      ),
    text,
  );
}

/** The fenced blocks of one language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text.trimEnd(),
  );
}

/** What differs from run to run, put alike. */
function normalized(text: string): string {
  return text
    .replaceAll(/\d{8}\/(?=\d{8}-\d{6}_)/g, '<day>/')
    .replaceAll(/\d{8}-\d{6}_BTCUSDT_1/g, '<stamp>_BTCUSDT_1')
    .replaceAll(/\d{8}-\d{6}_(\w+)_[0-9a-f]{8}\.png/g, '<stamp>_$1_<digits>.png')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/"sha256": "[^"]*"/g, '"sha256": "…"')
    .replaceAll(/"localPath":"[^"]*"/g, '"localPath":"…"')
    .replaceAll(/"durationMs":\d+/g, '"durationMs":0');
}

/** Names of charts, put alike. */
function unnamed(text: string): string {
  return normalized(text)
    .replaceAll(/\d{13}_\w+?_[0-9a-f]{8}/g, '<id>')
    .replaceAll(/"sha256":"[^"]*"/g, '"sha256":"…"');
}

/** Words for how long ago, or how long yet, put alike. */
function unhurried(text: string): string {
  return text
    .replaceAll(/just now|\d+ s ago/g, '<ago>')
    .replaceAll(/begins in [^,]+,/g, 'begins in <time>,');
}

/** Runs a command of the README where a clone would have been, without its `npm ci`. */
async function runCommand(command: string, onTestFinished: (undo: () => Promise<void>) => void) {
  const cwd = await emptyFolder(onTestFinished);
  for (const name of ['bin', 'fixtures']) await symlink(join(REPOSITORY, name), join(cwd, name));
  const [, argv = ''] = /node bin\/worker-chart-export\.js (.+)$/.exec(command) ?? [];
  return { cwd, ...(await runCli(argv.split(' '), { cwd })) };
}

describe('the README', () => {
  // `npx vitest run test/readme.test.ts -u` writes the tables into it.
  test("its tables are the program's", async () => {
    await expect(regenerated(readme)).toMatchFileSnapshot(README);
  });

  test('its first command does the main job, and prints what is shown', async ({
    onTestFinished,
  }) => {
    const [command = ''] = blocks('sh');
    expect(command).toMatch(/^npm ci && node bin/);
    const { exitCode, stdout } = await runCommand(command, onTestFinished);
    expect(exitCode).toBe(0);
    expect(normalized(stdout.trimEnd())).toBe(normalized(blocks('text')[0] ?? ''));
  });

  test('its second command is the one that guards every change', async () => {
    const door = await readFile(join(REPOSITORY, '.ci/run'), 'utf8');
    expect(door.trimEnd().split('\n').at(-1)).toBe(blocks('sh')[1]);
  });

  test('its summary and its manifest are those of its third command', async ({
    onTestFinished,
  }) => {
    const { cwd, exitCode, stdout } = await runCommand(blocks('sh')[2] ?? '', onTestFinished);
    expect(exitCode).toBe(0);
    const [manifest = '', summary = ''] = blocks('json');
    expect(normalized(stdout.trimEnd())).toBe(normalized(summary));
    const { outputsManifestGcsUri } = JSON.parse(stdout);
    const written = await new CliWorkspace(cwd).object(outputsManifestGcsUri);
    expect(JSON.parse(normalized(written.toString()))).toEqual(JSON.parse(normalized(manifest)));
  });

  test('what it shows of status and usage is what they say', async ({ onTestFinished }) => {
    const shown = (command: string) => {
      const from = readme.indexOf(command);
      return /```text\n([\s\S]*?)\n```/.exec(readme.slice(from))?.[1] ?? '';
    };
    const commands = blocks('sh').filter((block) => /js (status|usage) /.test(block));
    const cwd = await emptyFolder(onTestFinished);
    for (const name of ['bin', 'fixtures']) await symlink(join(REPOSITORY, name), join(cwd, name));
    const accounts = [
      { id: 'acc-1', apiKey: 'not-a-real-key-1', plan: 'BASIC' },
      { id: 'acc-2', apiKey: 'not-a-real-key-2', priority: 1 },
    ];
    await writeFile(join(cwd, 'accounts.json'), JSON.stringify(accounts), { mode: 0o600 });
    const five = 'fixtures/flow-runs/five-templates.json';
    const run = ['run-local', '--flow-run-path', five, '--accounts-config-path', 'accounts.json'];
    await runCli(run, { cwd });
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const [, argv = ''] = /js (.+)$/.exec(command) ?? [];
      const { stdout } = await runCli(argv.split(' '), { cwd });
      expect(unhurried(stdout.trimEnd())).toBe(unhurried(shown(command)));
    }
  });

  test('what it shows of charts on demand is what they print', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    for (const name of ['bin', 'fixtures']) await symlink(join(REPOSITORY, name), join(cwd, name));
    const shown = [
      ...readme.matchAll(/```sh\n(.*charts generate.*)\n```\n\n```text\n([\s\S]*?)\n```/g),
    ];
    expect(shown).toHaveLength(2);
    for (const [, command = '', output = ''] of shown) {
      const [, argv = ''] = /js (.+)$/.exec(command) ?? [];
      const { stdout } = await runCli(argv.split(' '), { cwd });
      expect(normalized(stdout.trimEnd())).toBe(normalized(output));
    }
  });

  test('its program does what is shown', async () => {
    const [program = ''] = blocks('js').filter((block) => block.includes('openLibrary'));
    const [output = ''] = blocks('text').filter((block) => block.startsWith('fixture gs://'));
    const { openLibrary } = await import('../src/library/index.js');
    const said: string[] = [];
    const body = program.replace(/^import .*$/m, '');
    const run = new Function('openLibrary', 'console', `return (async () => { ${body} })()`);
    const inFolder = (cwd: string) => (options: object) => openLibrary({ ...options, cwd });
    await run(inFolder(await emptyFolder(onTestFinished)), {
      log: (...words: string[]) => said.push(words.join(' ')),
    });
    expect(normalized(said.join('\n'))).toBe(normalized(output));
  });

  test('what it shows of the chart library is what is said', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const session = [
      ...readme.matchAll(
        /^```text\n\$ npx worker-chart-export ((?:symbols set|charts (?:list|latest)) [\s\S]*?)^```/gm,
      ),
    ];
    expect(session).toHaveLength(2);
    const picture = (symbol: string, timeframe: string, stamp: string) =>
      `gs://local/library/${symbol}/${timeframe}/${stamp.slice(0, 8)}/${stamp}_ctpl_price_ma1226_vol_v1_0f3a9c21.png`;
    const chart = {
      chartImgSymbol: 'XETR:DAX',
      chartTemplateId: 'ctpl_price_ma1226_vol_v1',
      bytes: 88_421,
      width: 1920,
      height: 1200,
      sha256: '9f2c41d0a6e8b75310c4f7a2bd96e0135a8c7e4f1b2d3960c5a7e8f901b2c3d4',
    } as const;
    await seedWorkspace(cwd, [
      aSnapshot({
        ...chart,
        uri: picture('DAX', '4h', '20261125-093012'),
        generatedAt: '2026-11-25T09:30:12.418Z',
        triggerType: 'alert',
        generatedBy: 'dashboard',
      }),
      aSnapshot({
        ...chart,
        timeframe: '1D',
        interval: '1D',
        uri: picture('DAX', '1D', '20261125-070003'),
        generatedAt: '2026-11-25T07:00:03.051Z',
        triggerType: 'report',
      }),
    ]);
    const [starterSet = ''] = blocks('sh').filter((block) => /js symbols list$/.test(block));
    const shownSet = /```text\n([\s\S]*?)\n```/.exec(readme.slice(readme.indexOf(starterSet)))?.[1];
    expect((await runCli(['symbols', 'list'], { cwd })).stdout.trimEnd()).toBe(shownSet);
    for (const [, text = ''] of session) {
      for (const entry of text.trimEnd().split('\n$ npx worker-chart-export ')) {
        const [command = '', ...lines] = entry.split('\n');
        // The days that it speaks of go by.
        const argv = command.replace('--since 7d', '--since 2026-11-18').split(' ');
        const { stdout } = await runCli(argv, { cwd });
        expect(stdout.trimEnd(), command).toBe(lines.join('\n'));
      }
    }
  });

  test('what it shows of the HTTP door is what is answered', async ({ onTestFinished }) => {
    const [, session = ''] = /^```text\n(\$ curl [\s\S]*?)^```/m.exec(readme) ?? [];
    const cwd = await emptyFolder(onTestFinished);
    const { url } = await Served.start(onTestFinished, { cwd });
    let lastId = '';
    const entries = session.trimEnd().split(/^\$ /m).slice(1);
    expect(entries).toHaveLength(4);
    for (const entry of entries) {
      const [command = '', shown = ''] = entry.trimEnd().split('\n');
      const [, path = ''] = /http:\/\/127\.0\.0\.1:8080([^ ']*)/.exec(command) ?? [];
      const [, body] = /--json '(.*)'$/.exec(command) ?? [];
      const headers = { 'content-type': 'application/json' };
      const asked = `${url}${path.replace(/\d{13}_[^/]*/, () => lastId)}`;
      const answer = await fetch(
        asked,
        body === undefined ? {} : { method: 'POST', headers, body },
      );
      if (command.includes('-o chart.png')) {
        expect([answer.headers.get('content-type'), shown]).toEqual(['image/png', '']);
        continue;
      }
      const text = await answer.text();
      lastId = /"id":"([^"]*)"/.exec(text)?.[1] ?? lastId;
      expect(unnamed(text), command).toBe(unnamed(shown));
    }
  });

  test('every file it links to is there', async () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target);
    const files = links.filter((target) => !target.startsWith('https:'));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files.filter((file) => /\.\w+$/.test(file))) {
      await expect(readFile(join(REPOSITORY, file)), file).resolves.toBeDefined();
    }
  });
});

describe("the README's exit codes", () => {
  const rows = [...readme.matchAll(/^\| ([\d, ]+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, exits = '', status = '', errorCode = '']) => ({
      exits: exits.split(', ').map(Number),
      status,
      errorCode,
    }),
  );

  test.for(Object.values(ONE_OF_EACH))('$reason stands in the table', (outcome) => {
    const { exitCode, status, errorCode } = viewOf(outcome, 'SIGTERM');
    const fits = (cell: string, value: string | null, free: string) =>
      cell === free || cell === (value === null ? 'null' : `\`${value}\``);
    const matching = rows.filter(
      (row) =>
        row.exits.includes(exitCode) &&
        fits(row.status, status, 'as found') &&
        fits(row.errorCode, errorCode, 'its code'),
    );
    expect(matching, JSON.stringify({ exitCode, status, errorCode })).toHaveLength(1);
  });

  test('and no code stands in it that no outcome has', () => {
    const possible = Object.values(ONE_OF_EACH).flatMap((outcome) =>
      (['SIGINT', 'SIGTERM'] as const).map((signal) => viewOf(outcome, signal).exitCode),
    );
    const told = rows.flatMap(({ exits }) => exits);
    expect(new Set(told)).toEqual(new Set(possible));
  });
});

describe("the README's answers", () => {
  const [, part = ''] = readme.split(/<!-- \/?answers -->/);
  const rows = [...part.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(
    ([, answer, reasons = '']) => ({
      answer: Number(answer),
      reasons: [...reasons.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => reason),
    }),
  );
  const outcomes = [...Object.values(ONE_OF_EACH), ...AT_WORK];

  test.for(outcomes)('$reason stands in the table', (outcome) => {
    const answer = answerOf(outcome);
    const matching = rows.filter(
      (row) => row.answer === answer && row.reasons.includes(outcome.reason),
    );
    expect(matching, `${outcome.reason} ${answer}`).toHaveLength(1);
  });

  test('and nothing stands in it that is not answered', () => {
    const told = rows.flatMap(({ answer, reasons }) =>
      reasons.map((reason) => `${answer} ${reason}`),
    );
    const possible = outcomes.map((outcome) => `${answerOf(outcome)} ${outcome.reason}`);
    expect(told.sort()).toEqual(possible.sort());
  });
});
