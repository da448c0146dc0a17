import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, runCli } from '../support/cli-run.js';
import { CliWorkspace, filesIn } from '../support/cli-workspace.js';
import { closedPort } from '../support/dead-servers.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { FIVE_FILE, FIVE_RUN, FIVE_STEP } from '../support/replay-place.js';

const STEP = ['--run-id', FIVE_RUN, '--step-id', FIVE_STEP];
const MANIFEST = `charts/${FIVE_RUN}/${FIVE_STEP}/manifest.json`;

/** How many pictures a page shows. */
async function picturesIn(file: string): Promise<number> {
  const page = await readFile(file, 'utf8');
  expect(page).toMatch(/^<!doctype html>/i);
  expect(page).toContain(FIVE_RUN);
  return page.match(/<img [^>]*src="data:image\/png;base64,/g)?.length ?? 0;
}

async function doneIn(cwd: string, ...flags: string[]): Promise<void> {
  const argv = ['run-local', '--flow-run-path', FIVE_FILE, '--quiet', ...flags];
  const { exitCode, stderr } = await runCli(argv, { cwd });
  expect([exitCode, stderr]).toEqual([0, '']);
}

describe('a report', () => {
  test('comes with a run, beside whatever else was asked for', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await doneIn(cwd, '--report', 'pages/charts.html');
    expect(await picturesIn(join(cwd, 'pages/charts.html'))).toBe(5);
  });

  test('of a step, of its manifest’s URI and of its file is the same page', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    await doneIn(cwd);
    const uri = `gs://local/${MANIFEST}`;
    const path = new CliWorkspace(cwd).objectPath(uri);
    for (const [index, wanted] of [STEP, [uri], [path]].entries()) {
      const file = `${index}.html`;
      const argv = ['report', ...wanted, '--report', file, '--json', '--quiet'];
      const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual({ report: join(cwd, file), unshown: [] });
      expect(await picturesIn(join(cwd, file))).toBe(5);
    }
  });

  test('says which picture is gone, and shows the others', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await doneIn(cwd);
    const workspace = new CliWorkspace(cwd);
    const [item] = (await workspace.manifest(`gs://local/${MANIFEST}`)).items;
    await rm(workspace.objectPath(item?.png_gcs_uri ?? ''));
    const { exitCode, stdout, stderr } = await runCli(
      ['report', ...STEP, '--log-format', 'pretty'],
      { cwd },
    );
    expect([exitCode, stdout]).toEqual([0, 'report  charts-report.html\n']);
    expect(stderr).toMatch(new RegExp(`warning: ${item?.chartTemplateId} has no picture`));
    expect(await picturesIn(join(cwd, 'charts-report.html'))).toBe(4);
  });

  test.for([
    [[], /name a manifest: a file, a gs:\/\/ URI, or a step/],
    [['--run-id', FIVE_RUN], /name a manifest/],
    [['--run-id', '../x', '--step-id', FIVE_STEP], /name a manifest/],
    [STEP, /there is no manifest gs:\/\/local\/charts\//],
    [
      ['gs://local/charts/none/manifest.json'],
      /no manifest gs:\/\/local\/charts\/none.* in the workspace \(\/.*--backend gcp/,
    ],
    [['gs://none'], /gs:\/\/none names no manifest: write gs:\/\/bucket/],
    [[...STEP, '--report', 'no/charts.html'], /there is no manifest/],
    [
      ['/dev/null'],
      /\/dev\/null is not JSON: it is empty; name the manifest\.json that a run wrote/,
    ],
    [['nowhere.json'], /nowhere\.json cannot be read: no such file/],
    [[FIVE_FILE], /five-templates\.json is no manifest: /],
    [['a', 'b'], /too many arguments/],
  ] as const)('%j is one line, exit 2, and nothing is written', async ([argv, words], context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(
      ['report', ...argv, '--log-format', 'pretty', '--quiet'],
      { cwd },
    );
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await filesIn(cwd)).toEqual({});
  });

  test('that would be a folder is refused before the step is begun', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stderr } = await runWithReport('.', cwd);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--report .* cannot be written: it is a directory; name another file/);
    expect(await filesIn(cwd)).toEqual({});
  });

  test('in the way of whose folder is a file', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await writeFile(join(cwd, 'taken'), '');
    const { exitCode, stderr } = await runWithReport('taken/charts.html', cwd);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/cannot be written: a file of that name is in the way; name another/);
  });

  test.skipIf(process.platform !== 'linux')(
    'that cannot be written does not undo the step',
    async ({ onTestFinished }) => {
      const cwd = await emptyFolder(onTestFinished);
      const { exitCode, stdout, stderr } = await runWithReport('/dev/full', cwd);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/CHART_EXPORT SUCCEEDED/);
      expect(stderr).toMatch(/warning: there is no report: .* the disk is full/);
    },
  );
});

function runWithReport(file: string, cwd: string) {
  const argv = ['run-local', '--flow-run-path', FIVE_FILE, '--report', file];
  return runCli([...argv, '--log-format', 'pretty'], { cwd });
}

describe.skipIf(whyNoEmulator)(`a report from the cloud ${whyNoEmulator}`, () => {
  test('of a step, and of a manifest’s URI', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { cwd, env } = scene;
    expect((await scene.run(FIVE_FILE, '--create-flow-run', '--report', 'a.html')).exitCode).toBe(
      0,
    );
    const cloud = ['--backend', 'gcp', '--report'];
    const bucket = ['--charts-bucket', BUCKET];
    const step = await runCli(['report', ...STEP, ...bucket, ...cloud, 'b.html'], { cwd, env });
    expect(step.exitCode, step.stderr).toBe(0);
    const uri = `gs://${BUCKET}/${MANIFEST}`;
    const byUri = await runCli(['report', uri, ...cloud, 'c.html'], { cwd, env });
    expect(byUri.exitCode, byUri.stderr).toBe(0);
    for (const file of ['a.html', 'b.html', 'c.html']) {
      expect(await picturesIn(join(cwd, file))).toBe(5);
    }
  });

  test('of a Storage that is not there says what helps', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const env = { ...scene.env, STORAGE_EMULATOR_HOST: `http://127.0.0.1:${await closedPort()}` };
    const argv = ['report', `gs://${BUCKET}/${MANIFEST}`, '--backend', 'gcp'];
    const { exitCode, stderr } = await runCli(argv, { cwd: scene.cwd, env });
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      /connection was refused.*; check the network and the server, then try again/,
    );
  });

  test('of no such manifest says where it looked and what helps', async ({ onTestFinished }) => {
    const { cwd, env } = await GcpScene.open(onTestFinished);
    const argv = ['report', `gs://${BUCKET}/${MANIFEST}`, '--backend', 'gcp'];
    const { exitCode, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/there is no manifest .* in Cloud Storage: .*status --backend gcp/);
    expect(await filesIn(cwd)).toEqual({});
  });
});
