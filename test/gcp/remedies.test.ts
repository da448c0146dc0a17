import { describe, expect, type OnTestFinishedHandler, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { CliProcess, logLines } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { apiError, closedPort, httpAnswering } from '../support/dead-servers.js';
import { startFakeChartImg } from '../support/fake-chart-img/fake-chart-img.js';
import { startFakeStorage } from '../support/fake-storage/fake-storage.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { runOnPty, whyNoPty } from '../support/pty.js';
import { ACCOUNT, FIVE_FILE, FIVE_RUN, FIVE_STEP } from '../support/replay-place.js';
import { ALL_CASES } from '../support/share.js';
import { type StandInGoogle, standInGoogle } from '../support/stand-in-google/stand-in-google.js';

type Cleanup = (handler: OnTestFinishedHandler) => void;

const portOf = (host: string) => Number(host.slice(host.lastIndexOf(':') + 1));

/** The program in front of a Google that it takes for the real one: no emulator variable is set. */
class Cloud {
  readonly google: StandInGoogle;
  readonly scene: GcpScene;

  private constructor(scene: GcpScene, google: StandInGoogle) {
    this.scene = scene;
    this.google = google;
  }

  static async open(onTestFinished: Cleanup): Promise<Cloud> {
    const scene = await GcpScene.open(onTestFinished);
    const { FIRESTORE_EMULATOR_HOST = '', STORAGE_EMULATOR_HOST = '' } = scene.env;
    const google = await standInGoogle(onTestFinished, {
      firestorePort: portOf(FIRESTORE_EMULATOR_HOST),
      storagePort: portOf(STORAGE_EMULATOR_HOST),
    });
    return new Cloud(scene, google);
  }

  get env(): Record<string, string> {
    return { ...this.google.env, GOOGLE_CLOUD_PROJECT: this.scene.projectId };
  }

  async run(...argv: string[]) {
    const { cwd } = this.scene;
    const { preload } = this.google;
    return new CliProcess(argv, { cwd, env: this.env, preload }).ended;
  }

  async job(...flags: string[]) {
    const argv = this.scene.argv(FIVE_FILE, '--create-flow-run', ...flags);
    const { exitCode, stdout, stderr } = await this.run(...argv);
    return { exitCode, summary: summaryOn(stdout), log: logLines(stderr) };
  }
}

// Two starts of the real program each, with all of its clients.
const whyNot = whyNoEmulator || (ALL_CASES ? '' : 'SKIPPED: only with PROVE=1');

describe.skipIf(whyNot)(`what helps, in the cloud itself ${whyNot}`, () => {
  test('no credentials; signed in, it works', async ({ onTestFinished }) => {
    const cloud = await Cloud.open(onTestFinished);
    const told = await cloud.job();
    expect(told.exitCode).toBe(2);
    expect(told.summary.message).toMatch(
      /no Google credentials: run "gcloud auth application-default login"/,
    );
    await cloud.google.logIn(cloud.scene.cwd);
    expect((await cloud.job()).exitCode).toBe(0);
    expect(cloud.scene.storage.objects(BUCKET)).toHaveLength(6);
  });

  test('a login that ran out; a new one works', async ({ onTestFinished }) => {
    const cloud = await Cloud.open(onTestFinished);
    await cloud.google.logIn(cloud.scene.cwd);
    cloud.google.signInStatus = 400;
    const told = await cloud.job();
    expect(told.exitCode).toBe(2);
    expect(told.summary.message).toMatch(/gcloud auth application-default login/);
    cloud.google.signInStatus = 200;
    expect((await cloud.job()).exitCode).toBe(0);
  });

  test('no bucket; created, it works', async ({ onTestFinished }) => {
    const cloud = await Cloud.open(onTestFinished);
    await cloud.google.logIn(cloud.scene.cwd);
    const { storagePort } = cloud.google;
    const empty = await startFakeStorage({ buckets: [] });
    onTestFinished(() => empty.close());
    cloud.google.storagePort = portOf(empty.url);
    const told = await cloud.job();
    expect(told.exitCode).toBe(2);
    expect(told.summary.message).toMatch(/there is no bucket .*: create it/);
    cloud.google.storagePort = storagePort;
    expect((await cloud.job()).exitCode).toBe(0);
  });

  test('no right to the bucket; granted, it works', async ({ onTestFinished }) => {
    const cloud = await Cloud.open(onTestFinished);
    await cloud.google.logIn(cloud.scene.cwd);
    const { permissions } = cloud.scene.storage;
    permissions.delete('storage.objects.create');
    const told = await cloud.job();
    expect(told.exitCode).toBe(2);
    expect(told.summary.message).toMatch(
      /lack storage\.objects\.create .*: grant them roles\/storage\.objectAdmin/,
    );
    permissions.add('storage.objects.create');
    expect((await cloud.job()).exitCode).toBe(0);
  });

  test.for([
    [
      'no database',
      apiError('NOT_FOUND', 'The database (default) does not exist for project p'),
      2,
      /there is no Firestore database .*or create it/,
    ],
    [
      'no right to the database',
      apiError('PERMISSION_DENIED', 'Missing or insufficient permissions.'),
      2,
      /grant them roles\/datastore\.user/,
    ],
    [
      'a token that is refused',
      apiError('UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
      2,
      /gcloud auth application-default login/,
    ],
  ] as const)('%s; mended, it works', async ([, answer, exitCode, words], { onTestFinished }) => {
    const cloud = await Cloud.open(onTestFinished);
    await cloud.google.logIn(cloud.scene.cwd);
    const { firestorePort } = cloud.google;
    cloud.google.firestorePort = await httpAnswering(answer, onTestFinished);
    const told = await cloud.job();
    expect([told.exitCode, told.summary.message]).toEqual([exitCode, expect.stringMatching(words)]);
    cloud.google.firestorePort = firestorePort;
    expect((await cloud.job()).exitCode).toBe(0);
  });

  test.for(['firestorePort', 'storagePort'] as const)(
    'no network to %s; back, it works',
    async (name, { onTestFinished }) => {
      const cloud = await Cloud.open(onTestFinished);
      await cloud.google.logIn(cloud.scene.cwd);
      const port = cloud.google[name];
      cloud.google[name] = await closedPort();
      const told = await cloud.job();
      expect(told.exitCode).toBe(4);
      expect(told.summary.message).toMatch(/check the network and the server, then run again/);
      cloud.google[name] = port;
      expect((await cloud.job()).exitCode).toBe(0);
    },
  );
});

describe.skipIf(whyNoEmulator)(`before a real replay ${whyNoEmulator}`, () => {
  test.skipIf(whyNoPty)(
    'a real replay asks on a terminal: no is no, yes does it',
    async ({ onTestFinished }) => {
      const cloud = await Cloud.open(onTestFinished);
      const { cwd, storage } = cloud.scene;
      await cloud.google.logIn(cwd);
      const chartImg = await startFakeChartImg({ keys: [{ apiKey: ACCOUNT.apiKey, plan: 'PRO' }] });
      onTestFinished(() => chartImg.close());
      expect((await cloud.job()).exitCode).toBe(0);
      const before = { run: await cloud.scene.flowRun(FIVE_RUN), objects: storage.objects(BUCKET) };
      const env = {
        ...cloud.env,
        NODE_OPTIONS: `--import ${cloud.google.preload[0]}`,
        CHART_IMG_BASE_URL: chartImg.url,
        CHART_IMG_ACCOUNTS_JSON: JSON.stringify([{ ...ACCOUNT, plan: 'PRO' }]),
      };
      const [, , , ...rest] = cloud.scene
        .argv('')
        .filter((word) => word !== 'json' && word !== '--output-summary');
      const argv = [
        'run-local',
        '--run-id',
        FIVE_RUN,
        '--step-id',
        FIVE_STEP,
        ...rest,
        '--charts-api-mode',
        'real',
        '--replay',
      ];
      const no = await runOnPty(argv, { cwd, env, answer: 'n' });
      expect(no.exitCode).toBe(3);
      expect(no.screen).toMatch(
        /reads .*the step is SUCCEEDED\n.*calls .*for 5 charts: 5 from acc-1 \(40 left today\)\n/,
      );
      expect(no.screen).toContain('not done; nothing was written');
      expect(await cloud.scene.flowRun(FIVE_RUN)).toEqual(before.run);
      expect(storage.objects(BUCKET)).toEqual(before.objects);

      const yes = await runOnPty(argv, { cwd, env, answer: 'y' });
      expect(yes.exitCode).toBe(0);
      expect(yes.screen).toMatch(/CHART_EXPORT SUCCEEDED: .*items=5, failures=0/);
      expect(storage.objects(BUCKET)).toHaveLength(before.objects.length + 6);
    },
  );
});

describe.skipIf(whyNoEmulator)(`what helps a step that failed ${whyNoEmulator}`, () => {
  test('its bucket could not be written: once it can, --replay --only-failed', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { faults } = scene.storage;
    faults.add({ kind: 'put', times: 2, fault: { act: 'refuse', status: 403 } });
    const told = await scene.run(FIVE_FILE, '--create-flow-run');
    expect(told.summary.failures.map(({ code }) => code)).toEqual(
      Array(2).fill('GCS_WRITE_FAILED'),
    );
    const replay = await scene.run(FIVE_FILE, '--replay', '--only-failed');
    expect(replay.summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5, failuresCount: 0 });
  });

  test.for(['MANIFEST_WRITE_FAILED', 'INTERNAL_ERROR', 'WORKER_LEASE_LOST'])(
    '%s: --replay',
    async (code, { onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      await scene.run(FIVE_FILE, '--create-flow-run');
      const { steps, ...run } = await scene.flowRun(FIVE_RUN);
      const { finishedAt } = steps[FIVE_STEP] ?? {};
      const failed = { ...steps[FIVE_STEP], status: 'FAILED', finishedAt, outputs: {} };
      const error = { code, message: 'as it was' };
      const step = { ...failed, error };
      await scene.put(paths.flowRun(FIVE_RUN), { ...run, steps: { ...steps, [FIVE_STEP]: step } });
      expect((await scene.run(FIVE_FILE, '--step-id', FIVE_STEP)).exitCode).toBe(1);
      const { exitCode, summary } = await scene.run(FIVE_FILE, '--replay');
      expect([exitCode, summary.itemsCount]).toEqual([0, 5]);
      expect((await scene.flowRun(FIVE_RUN)).steps[FIVE_STEP]).not.toHaveProperty('error');
    },
  );
});
