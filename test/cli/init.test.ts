import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { BIN, emptyFolder, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { filesIn } from '../support/cli-workspace.js';
import { runOnPty, whyNoPty } from '../support/pty.js';

const run = promisify(execFile);
const ALL = [
  '.gitignore',
  'STARTER.md',
  'accounts.json',
  'chart-templates',
  'flow_run.json',
] as const;

/** A command line as a person would paste it. */
function paste(command: string, cwd: string, more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: cwd, ...more };
  return run('sh', ['-c', command], { cwd, env });
}

describe('init', () => {
  test('writes a starter whose next command does what it says', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(['init'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect((await readdir(cwd)).sort()).toEqual(ALL);
    expect((await readdir(join(cwd, 'chart-templates'))).length).toBe(5);
    expect((await stat(join(cwd, 'accounts.json'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(cwd, '.gitignore'), 'utf8')).toBe('accounts.json\n');
    expect(stdout).toMatch(/^wrote {2}chart-templates\/ {2}5 chart templates/m);

    const next = stdout.trimEnd().split('\n').at(-1)?.trim() ?? '';
    for (const [step, items] of [
      ['charts:1D:momentum', 2],
      ['charts:1H:trend', 2],
    ] as const) {
      const { stdout: done } = await paste(next, cwd);
      expect(done).toMatch(/\nCHART_EXPORT SUCCEEDED: /);
      expect(done).toContain(`/${step}/manifest.json, items=${items}, failures=0`);
    }
  });

  test('all that its guide says works', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runCli(['init'], { cwd });
    const guide = await readFile(join(cwd, 'STARTER.md'), 'utf8');
    const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    expect(blocks).toHaveLength(3);
    const commands = blocks.join('').trimEnd().split('\n');
    expect(commands).toHaveLength(4);
    for (const command of commands) {
      // Real charts need a key.
      const tried = command.replace('--charts-api-mode real', '--charts-api-mode mock');
      await expect(paste(tried, cwd), command).resolves.toBeDefined();
    }
    const { stdout } = await paste(commands[1] ?? '', cwd);
    expect(stdout).toContain('accounts.json: warning: [0].apiKey: is a placeholder');
    expect(stdout).not.toContain('error');
  });

  test('git does not see the keys', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await paste('git init -q .', cwd);
    await runCli(['init', 'sub'], { cwd });
    const { stdout } = await paste('git status --porcelain --untracked-files=all', cwd);
    expect(stdout).toContain('sub/flow_run.json');
    expect(stdout).not.toContain('accounts.json');
  });

  test('into a folder with a hard name; the command goes there', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout } = await runCli(['init', "new/my 'charts'", '--json'], { cwd });
    expect(exitCode).toBe(0);
    const { folder, files, next } = JSON.parse(stdout);
    expect(folder).toBe(join(cwd, "new/my 'charts'"));
    expect(files).toHaveLength(9);
    expect(files).toContainEqual({ name: 'accounts.json', action: 'wrote' });
    expect((await paste(next, cwd)).stdout).toMatch(/\nCHART_EXPORT SUCCEEDED: /);
  });

  test.skipIf(whyNoPty)('on a terminal, the same words', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, screen } = await runOnPty(['init'], { cwd });
    expect(exitCode).toBe(0);
    expect(screen).toMatch(
      /^wrote {2}flow_run\.json {5}a flow run[\s\S]*\nNext, with sample charts \(no key, no network\):\n {2}\S/,
    );
  });
});

describe('init where something is already', () => {
  test('overwrites nothing, and says what it kept', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runCli(['init'], { cwd });
    const before = await filesIn(cwd);
    const { exitCode, stdout } = await runCli(['init'], { cwd });
    expect(exitCode).toBe(0);
    expect(await filesIn(cwd)).toEqual(before);
    expect(stdout).not.toContain('wrote');
    expect(stdout.match(/^kept {2}/gm)).toHaveLength(5);
  });

  test('fills in what is missing', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await jsonFile(cwd, 'flow_run.json', { mine: true });
    await mkdir(join(cwd, 'chart-templates'));
    await writeFile(join(cwd, 'chart-templates', 'ctpl_price_psar_adi_v1.json'), 'mine');
    await symlink('nowhere', join(cwd, 'accounts.json'));
    const { exitCode, stdout } = await runCli(['init'], { cwd });
    expect(exitCode).toBe(0);
    expect(await readFile(join(cwd, 'flow_run.json'), 'utf8')).toBe('{"mine":true}');
    expect(
      await readFile(join(cwd, 'chart-templates', 'ctpl_price_psar_adi_v1.json'), 'utf8'),
    ).toBe('mine');
    expect(stdout).toMatch(/^kept {3}flow_run\.json +is there already, left as it is$/m);
    expect(stdout).toMatch(/^kept {3}chart-templates\/ctpl_price_psar_adi_v1\.json/m);
    expect(stdout).toMatch(/^wrote {2}chart-templates\/ctpl_price_vpvr_obv_v1\.json/m);
    expect(stdout).toMatch(/^kept {3}accounts\.json/m);
    expect(await readdir(cwd)).not.toContain('nowhere');
  });

  test.for([
    ['node_modules\n', 'node_modules\naccounts.json\n'],
    ['node_modules', 'node_modules\naccounts.json\n'],
    ['a\r\nb\r\n', 'a\r\nb\r\naccounts.json\r\n'],
    ['', 'accounts.json\n'],
    ['my-accounts.json\n#accounts.json\n', 'my-accounts.json\n#accounts.json\naccounts.json\n'],
    ['accounts.json\n!accounts.json\n', 'accounts.json\n!accounts.json\naccounts.json\n'],
    ['x\n/accounts.json  \ny\n', undefined],
    ['accounts.json', undefined],
  ] as const)('.gitignore %j', async ([before, after], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await writeFile(join(cwd, '.gitignore'), before);
    const { stdout } = await runCli(['init'], { cwd });
    expect(await readFile(join(cwd, '.gitignore'), 'utf8')).toBe(after ?? before);
    const word = after === undefined ? 'kept ' : 'added';
    expect(stdout).toContain(`${word}  .gitignore        keeps accounts.json out of git\n`);
  });

  test.for([
    [
      'a file in the place of the folder',
      'f',
      async (cwd: string) => writeFile(join(cwd, 'f'), 'x'),
    ],
    [
      'a file in the place of the templates',
      '.',
      async (cwd: string) => writeFile(join(cwd, 'chart-templates'), 'x'),
    ],
    [
      'a folder in the place of .gitignore',
      'd',
      async (cwd: string) => mkdir(join(cwd, 'd', '.gitignore'), { recursive: true }),
    ],
  ] as const)('%s: exit 2, nothing is left', async ([, dir, prepare], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await prepare(cwd);
    const before = await filesIn(cwd);
    const { exitCode, stdout, stderr } = await runCli(['init', dir], { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(logLines(stderr)).toMatchObject([
      {
        event: 'config_error',
        message: expect.stringMatching(/ cannot be written: .*; nothing was left there$/),
      },
    ]);
    expect(await filesIn(cwd)).toEqual(before);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a folder that takes nothing: exit 2',
    async ({ onTestFinished }) => {
      const cwd = await emptyFolder(onTestFinished);
      await chmod(cwd, 0o500);
      expect(await runCli(['init', 'x'], { cwd })).toMatchObject({ exitCode: 2 });
      await chmod(cwd, 0o700);
    },
  );
});

describe('the next command', () => {
  const nextOf = async (cwd: string, env: Readonly<Record<string, string>>, dir = '.') => {
    const { stdout } = await runCli(['init', dir, '--json'], { cwd, env });
    return String(JSON.parse(stdout).next);
  };

  test('in a project that has it, by npx', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const bin = join(cwd, 'node_modules', '.bin');
    await mkdir(bin, { recursive: true });
    await symlink(BIN, join(bin, 'worker-chart-export'));
    const PATH = `${bin}:${process.env.PATH}`;
    const next = await nextOf(cwd, { PATH }, 'sub');
    expect(next).toMatch(/^cd sub && npx worker-chart-export run-local /);
    // Outside of it npx would find nothing.
    const elsewhere = await emptyFolder(onTestFinished);
    expect(await nextOf(cwd, { PATH }, elsewhere)).toContain(`&& node ${BIN} run-local `);
    expect((await paste(next, cwd)).stdout).toMatch(/\nCHART_EXPORT SUCCEEDED: /);
  });

  test('installed for all, by its name', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const bin = await emptyFolder(onTestFinished);
    await symlink(BIN, join(bin, 'worker-chart-export'));
    const PATH = `${bin}:${process.env.PATH}`;
    const next = await nextOf(cwd, { PATH });
    expect(next).toMatch(/^worker-chart-export run-local /);
    expect((await paste(next, cwd, { PATH })).stdout).toMatch(/\nCHART_EXPORT SUCCEEDED: /);
  });
});
