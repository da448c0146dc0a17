import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { FakeCloud, type Noted } from '../support/fake-gcloud/cloud.js';
import type { State } from '../support/fake-gcloud/state.js';
import { ALL_CASES } from '../support/share.js';

/** A deployment is 60 programs; a plain break of what these show is seen in the others. */
const SHOWN = ALL_CASES ? '' : ' (SKIPPED: shown with PROVE=1 alone)';
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const KEY = 'sk-very-secret-key-1';
const ACCOUNTS = JSON.stringify([{ id: 'acc-1', apiKey: KEY }]);
const NAMED = ['--project', 'my-project', '--bucket', 'gs://my-charts'];
const [RUN, TRIGGER, SWEEP] = ['run', 'trigger', 'sweep'].map(
  (name) => `chart-export-${name}@my-project.iam.gserviceaccount.com`,
);

async function cloudWith(state: Partial<State> = {}) {
  const cloud = await FakeCloud.open(onTestFinished, state);
  const accounts = await cloud.file('accounts.json', `${ACCOUNTS}\n`);
  return { cloud, first: [...NAMED, '--accounts', accounts] };
}

/** A project that looks as it does after the first deployment, but for what is given. */
const afterwards = (but: Partial<State> = {}) => cloudWith({ ...made.state, ...but });

/** Deployed there once more, with these flags. */
async function deployed(flags: readonly string[], but: Partial<State> = {}) {
  const { cloud, first } = await afterwards(but);
  const { exitCode, stderr } = await cloud.deploy([...first, ...flags]);
  expect(exitCode, stderr).toBe(0);
  return { state: cloud.state };
}

const empty = await FakeCloud.open(afterAll);
const accounts = await empty.file('accounts.json', `${ACCOUNTS}\n`);
const done = await empty.deploy([...NAMED, '--accounts', accounts]);
const made = { ...done, state: empty.state, calls: empty.calls() };

/** All that a deployment can be asked to do otherwise, in one: none of it touches the rest. */
const multi = { '(default)': { locationId: 'eur3', type: 'FIRESTORE_NATIVE' } };
const elsewhere = await FakeCloud.open(afterAll, {
  ...made.state,
  ...{ databases: { runs: multi['(default)'] }, buckets: {}, alerts: {} },
});
const otherwise = await elsewhere.deploy([
  ...[...NAMED, '--region=europe-west4', '--database', 'runs'],
  ...['--public-read', '--notification-channels', 'mail,chat'],
]);

/** A bucket that is there already. */
const there = (prevention: 'enforced' | 'inherited', uniform = true) => ({
  'gs://my-charts': {
    location: 'eu',
    uniform_bucket_level_access: uniform,
    public_access_prevention: prevention,
  },
});

/** Applied again: what stands, but for a bucket of somebody else and a channel given by hand. */
const standing = await FakeCloud.open(afterAll, { ...made.state, buckets: there('inherited') });
const [channelled] = Object.values(standing.state.alerts);
if (channelled) channelled.notificationChannels = ['mail'];
const forced = await standing.deploy([...NAMED, '--force']);

const changes = (calls: readonly Noted[]) =>
  calls.filter(({ changed }) => changed).map(({ argv }) => argv.slice(0, 3).join(' '));

/** Everything that one address may do, as `role on resource`. */
const rightsOf = ({ bindings }: State, member: string) =>
  Object.entries(bindings).flatMap(([resource, held]) =>
    held.filter((one) => one.member === member).map(({ role }) => `${role} on ${resource}`),
  );

describe('in an empty project', () => {
  test('it makes everything at the first go', () => {
    // Looking for what is not there yet is silent.
    expect({ exitCode: made.exitCode, stderr: made.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(made.calls.filter(({ text }) => text.includes('ALREADY_EXISTS'))).toEqual([]);
  });

  test('the function has the settings that its promises rest on', () => {
    const { given, source } = made.state.functions['worker-chart-export'] ?? {};
    expect(given).toEqual({
      '--gen2': true,
      '--region': 'europe-west1',
      '--runtime': 'nodejs22',
      '--entry-point': 'workerChartExport',
      '--service-account': RUN,
      '--no-allow-unauthenticated': true,
      '--concurrency': '1',
      '--cpu': '1',
      '--memory': '512Mi',
      '--timeout': '540s',
      '--set-env-vars': 'CHARTS_BUCKET=my-charts,FIRESTORE_DB=(default),TDA_ENV=prod',
      '--set-secrets': 'CHART_IMG_ACCOUNTS_JSON=chart-img-accounts:1',
      '--serve-all-traffic-latest-revision': true,
      '--max-instances': '10',
      '--retry': true,
      '--trigger-location': 'europe-west1',
      '--trigger-service-account': TRIGGER,
      '--trigger-event-filters': [
        'type=google.cloud.firestore.document.v1.updated',
        'database=(default)',
      ],
      '--trigger-event-filters-path-pattern': ['document=flow_runs/{runId}'],
      '--update-labels': expect.stringMatching(/^deployed_as=[0-9a-f]{12}$/),
    });
    expect(Object.keys(source ?? {}).sort()).toEqual(['index.js', 'package.json']);
  });

  test('the sweep is the same program, called by the schedule alone', () => {
    const { given: sweep = {} } = made.state.functions['worker-chart-export-sweep'] ?? {};
    const { given: main = {} } = made.state.functions['worker-chart-export'] ?? {};
    expect(sweep).toMatchObject({
      '--entry-point': 'workerChartExportSweep',
      '--trigger-http': true,
      '--max-instances': '1',
      '--no-allow-unauthenticated': true,
    });
    for (const flag of ['--set-env-vars', '--set-secrets', '--runtime', '--service-account']) {
      expect(sweep[flag], flag).toBe(main[flag]);
    }
    const uri = 'https://worker-chart-export-sweep-x.a.run.app';
    expect(made.state.jobs['worker-chart-export-sweep']).toMatchObject({
      '--schedule': '*/5 * * * *',
      '--uri': uri,
      '--http-method': 'post',
      '--oidc-service-account-email': SWEEP,
      '--oidc-token-audience': uri,
    });
  });

  test('nobody may do more than the job asks', () => {
    const { state } = made;
    expect(rightsOf(state, `serviceAccount:${RUN}`).sort()).toEqual([
      'roles/datastore.user on projects my-project',
      'roles/secretmanager.secretAccessor on secrets chart-img-accounts',
      'roles/storage.objectUser on storage buckets gs://my-charts',
    ]);
    expect(rightsOf(state, `serviceAccount:${TRIGGER}`).sort()).toEqual([
      'roles/eventarc.eventReceiver on projects my-project',
      'roles/run.invoker on run services worker-chart-export',
    ]);
    expect(rightsOf(state, `serviceAccount:${SWEEP}`)).toEqual([
      'roles/run.invoker on run services worker-chart-export-sweep',
    ]);
    const members = Object.values(state.bindings).flatMap((held) => held.map((one) => one.member));
    expect(new Set(members).size).toBe(3);
  });

  test('the bucket is private', () => {
    expect(made.state.buckets['gs://my-charts']).toEqual({
      location: 'europe-west1',
      uniform_bucket_level_access: true,
      public_access_prevention: 'enforced',
    });
  });

  test('metrics and alerts are there, each with the mark of its file', async () => {
    expect(Object.keys(made.state.metrics).sort()).toEqual([
      'chart_export_calls',
      'chart_export_errors',
      'chart_export_quota_exhausted',
      'chart_export_steps',
      'chart_export_steps_running_long',
    ]);
    for (const { description } of Object.values(made.state.metrics)) {
      expect(description).toMatch(/\([0-9a-f]{12}\)$/);
    }
    expect(Object.values(made.state.alerts)).toHaveLength(5);
    for (const { userLabels } of Object.values(made.state.alerts)) {
      expect(userLabels.deployed_as).toMatch(/^[0-9a-f]{12}$/);
    }
  });

  test('the keys are in the secret and nowhere else', async () => {
    const { state, stdout, stderr, calls } = made;
    expect(state.secrets['chart-img-accounts']).toEqual([`${ACCOUNTS}\n`]);
    const elsewhere = JSON.stringify({ ...state, secrets: {} });
    expect(stdout + stderr + JSON.stringify(calls) + elsewhere).not.toContain(KEY);
  });

  test('a second run changes nothing, and calls nothing that could', async () => {
    const { cloud, first } = await afterwards();
    const { exitCode, stdout, stderr } = await cloud.deploy(first);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(cloud.state).toEqual(made.state);
    const verbs = cloud.calls().map(({ argv }) => argv.join(' '));
    expect(verbs.filter((call) => !/ (describe|list|get-iam-policy|access) /.test(call))).toEqual(
      [],
    );
  });

  test.skipIf(!ALL_CASES)(`nor does it need the accounts file again${SHOWN}`, async () => {
    const { cloud } = await afterwards();
    const { exitCode, stdout } = await cloud.deploy(NAMED);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(cloud.state).toEqual(made.state);
  });
});

test('new accounts are a new version, and both functions are given it', async () => {
  const { cloud, first } = await afterwards();
  await cloud.file('accounts.json', ACCOUNTS.replace('acc-1', 'acc-2'));
  const { exitCode, stdout, stderr } = await cloud.deploy(first);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { secrets, functions } = cloud.state;
  expect(secrets['chart-img-accounts']).toHaveLength(2);
  for (const { given, revision } of Object.values(functions)) {
    expect(given['--set-secrets']).toBe('CHART_IMG_ACCOUNTS_JSON=chart-img-accounts:2');
    expect(revision).toBe(2);
  }
  expect(changes(cloud.calls()).sort()).toEqual([
    'functions deploy worker-chart-export',
    'functions deploy worker-chart-export-sweep',
    'secrets versions add',
  ]);
  expect(stdout).not.toContain(KEY);
});

test('a deployment that failed half-way is done again', async () => {
  const { cloud, first } = await afterwards();
  const { 'worker-chart-export': broken } = cloud.state.functions;
  if (!broken) throw new Error('no function');
  broken.state = 'FAILED';
  await cloud.deploy(first);
  expect(changes(cloud.calls())).toEqual(['functions deploy worker-chart-export']);
});

test('--force applies again what is there', () => {
  expect(forced.exitCode, forced.stderr).toBe(0);
  const { functions, alerts } = standing.state;
  expect(Object.values(functions).map(({ revision }) => revision)).toEqual([2, 2]);
  expect(Object.values(alerts)).toHaveLength(5);
});

test('what was made just now may take a moment to be known', async () => {
  const { state } = await deployed([], { bindings: {}, alerts: {}, settling: 4 });
  expect(state.settling).toBe(0);
  expect(state.bindings).toEqual(made.state.bindings);
});

test('what never becomes known ends it', async () => {
  const { cloud, first } = await afterwards({ bindings: {}, settling: 1_000 });
  const { exitCode, stderr } = await cloud.deploy(first);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('does not exist');
  expect(changes(cloud.calls().filter((call) => call.exitCode === 0))).toEqual([]);
});

describe('a dry run', () => {
  test('prints every change and makes none', async () => {
    const { cloud, first } = await cloudWith();
    const before = structuredClone(cloud.state);
    const { exitCode, stdout, stderr } = await cloud.deploy([...first, '--dry-run']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(cloud.state).toEqual(before);
    const dry = stdout.split('\n').map((line) => line.split(' ').slice(2, 5).join(' '));
    expect(dry.filter((line) => line !== '')).toEqual(changes(made.calls));
    expect(stdout).not.toContain(KEY);
  });

  test.skipIf(!ALL_CASES)(`says nothing where everything stands${SHOWN}`, async () => {
    const { cloud, first } = await afterwards();
    expect(await cloud.deploy([...first, '--dry-run'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('the bucket', () => {
  const readers = {
    'storage buckets gs://my-charts': [{ role: 'roles/storage.objectViewer', member: 'allUsers' }],
  };

  test('is read by everybody when that is asked for: by name, without a list', () => {
    expect(otherwise.exitCode, otherwise.stderr).toBe(0);
    const { state } = elsewhere;
    expect(state.buckets['gs://my-charts']?.public_access_prevention).toBe('inherited');
    expect(rightsOf(state, 'allUsers')).toEqual([
      'roles/storage.legacyObjectReader on storage buckets gs://my-charts',
    ]);
  });

  test.skipIf(!ALL_CASES)(`is opened later, and closed again${SHOWN}`, async () => {
    const { cloud } = await afterwards();
    await cloud.deploy([...NAMED, '--public-read']);
    expect(rightsOf(cloud.state, 'allUsers')).toHaveLength(1);
    await cloud.deploy([...NAMED, '--no-public-read']);
    const { buckets } = cloud.state;
    expect(buckets['gs://my-charts']?.public_access_prevention).toBe('enforced');
  });

  test('that is there and private gets the guard and keeps its place', () => {
    expect(standing.state.buckets).toEqual(there('enforced'));
  });

  test('that is public already is not closed behind its readers', async () => {
    const { cloud, first } = await afterwards({ buckets: there('inherited'), bindings: readers });
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^deploy: gs:\/\/my-charts is public: .*--public-read.*\n$/);
    expect(changes(cloud.calls())).toEqual([]);
    expect((await cloud.deploy([...first, '--public-read'])).exitCode).toBe(0);
    expect(cloud.state.buckets).toEqual(there('inherited'));
  });

  test('with access lists of its own is left to its owner', async () => {
    const { cloud, first } = await cloudWith({ buckets: there('inherited', false) });
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^deploy: gs:\/\/my-charts has access lists [^\n]*\n$/);
    expect(changes(cloud.calls())).toEqual([]);
  });
});

describe('where the database lies', () => {
  test('there lies the trigger, and the function near it', () => {
    const { given } = elsewhere.state.functions['worker-chart-export'] ?? {};
    expect(given).toMatchObject({ '--trigger-location': 'eur3', '--region': 'europe-west4' });
  });

  test('another database than the default is watched, read and written', () => {
    const { given } = elsewhere.state.functions['worker-chart-export'] ?? {};
    expect(given?.['--trigger-event-filters']).toContain('database=runs');
    expect(given?.['--set-env-vars']).toContain('FIRESTORE_DB=runs');
  });

  test.skipIf(!ALL_CASES)(`the function lies where that one lies${SHOWN}`, async () => {
    const databases = { runs: { locationId: 'us-east1', type: 'FIRESTORE_NATIVE' } };
    const { state } = await deployed(['--database', 'runs'], { databases });
    expect(state.functions['worker-chart-export']?.given['--region']).toBe('us-east1');
  });

  test('several regions are no region for a function', async () => {
    const { cloud, first } = await cloudWith({ databases: multi });
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^deploy: the database lies in all of eur3: [^\n]*--region\n$/);
    expect(changes(cloud.calls())).toEqual([]);
  });
});

describe('the alerts', () => {
  test('reach the channels that are named', () => {
    const alerts = Object.values(elsewhere.state.alerts);
    expect(alerts).toHaveLength(5);
    for (const alert of alerts) {
      expect(alert.notificationChannels).toEqual(['mail', 'chat']);
    }
  });

  test('keep the channels that somebody gave them by hand', () => {
    const channels = Object.values(standing.state.alerts).map(
      (alert) => alert.notificationChannels,
    );
    expect(channels[0]).toEqual(['mail']);
  });

  test('are not made twice when they cannot be listed', async () => {
    const { cloud, first } = await afterwards();
    cloud.state.failing['alpha monitoring policies list'] = 'no such thing';
    const { exitCode, stderr } = await cloud.deploy([...first, '--force']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('deploy: cannot list the alert policies');
    expect(Object.values(cloud.state.alerts)).toHaveLength(5);
  });
});

describe('what is wrong is one line, and nothing is changed', () => {
  test.for([
    ['no project', ['--bucket', 'my-charts'], /^deploy: name the project: .*\n$/],
    ['no bucket', ['--project', 'my-project'], /^deploy: name the bucket: .*\n$/],
    ['no accounts the first time', NAMED, /^deploy: the secret .* --accounts\n$/],
    ['a file that is not there', [...NAMED, '--accounts', 'nowhere'], /^deploy: cannot read .*\n$/],
    ['an unknown flag', [...NAMED, '--publik'], /^deploy: unknown: --publik .*\n$/],
    ['a flag without its value', ['--bucket', 'b', '--project'], /^deploy: --project needs .*\n$/],
    ['a bucket that is a path', ['--project', 'p', '--bucket', 'gs://b/c'], /^deploy: not a .*\n$/],
  ] as const)('%s', async ([, argv, words]) => {
    const { cloud } = await cloudWith();
    const before = structuredClone(cloud.state);
    const { exitCode, stdout, stderr } = await cloud.deploy(argv);
    expect(stderr).toMatch(words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(cloud.state).toEqual(before);
    expect(changes(cloud.calls())).toEqual([]);
  });

  test('a database that cannot be looked up', async () => {
    const { cloud, first } = await cloudWith({ databases: {} });
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^ERROR: .*\ndeploy: cannot look up the Firestore database .*\n$/);
    expect(changes(cloud.calls())).toEqual([]);
  });

  test('a database in Datastore mode', async () => {
    const databases = { '(default)': { locationId: 'us-east1', type: 'DATASTORE_MODE' } };
    const { cloud, first } = await cloudWith({ databases });
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^deploy: the database \(default\) is not a native .*\n$/);
  });

  test('a secret that may not be read', async () => {
    const { cloud, first } = await afterwards();
    cloud.state.failing['secrets versions access'] = 'PERMISSION_DENIED';
    const { exitCode, stderr } = await cloud.deploy(first);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^ERROR: .*\ndeploy: cannot compare version 1 of the secret .*\n$/);
    expect(cloud.state.secrets).toEqual(made.state.secrets);
  });
});

test.skipIf(!ALL_CASES)(`--pack brings the package of the clone${SHOWN}`, async () => {
  const { cloud, first } = await afterwards();
  await cloud.program(
    'npm',
    '[ "$1 $2 $3" = "pack --silent --pack-destination" ] && [ -f package.json ] || exit 64\n' +
      'echo packed >"$4/worker-chart-export-9.9.9.tgz"; echo worker-chart-export-9.9.9.tgz',
  );
  const { exitCode, stderr } = await cloud.deploy([...first, '--pack']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { source = {} } = cloud.state.functions['worker-chart-export'] ?? {};
  expect(source['worker-chart-export-9.9.9.tgz']).toBe('packed\n');
  expect(JSON.parse(source['package.json'] ?? '').dependencies).toEqual({
    '@google-cloud/functions-framework': expect.stringMatching(/^\d/),
    'worker-chart-export': 'file:worker-chart-export-9.9.9.tgz',
  });
  // Another package is another function.
  cloud.calls();
  await cloud.deploy(first);
  expect(changes(cloud.calls())).toHaveLength(2);
});

test('--help names every flag and variable, and calls nothing', async () => {
  const { cloud } = await cloudWith();
  const { exitCode, stdout } = await cloud.deploy(['--help']);
  expect(exitCode).toBe(0);
  const script = await readFile(`${DEPLOY}deploy.sh`, 'utf8');
  const variables = [...script.matchAll(/\$\{([A-Z_]+)(?::?-)/g)].map(([, name = '']) => name);
  const flags = [...script.matchAll(/(?<=[ |])(--[a-z-]+)(?=[ |)][^"\n]*\) )/g)];
  expect(variables.length).toBeGreaterThan(8);
  for (const word of [...variables, ...flags.map(([, flag = '']) => flag)]) {
    expect(stdout).toContain(word);
  }
  expect(cloud.calls()).toEqual([]);
});
