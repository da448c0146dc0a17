import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Call, type Command, type FlagKind, ownFlags } from './command.js';
import { add, Refused, type State, there } from './state.js';
import { versionOf } from './storage-and-secrets.js';

const DEPLOY_FLAGS: Readonly<Record<string, FlagKind>> = {
  '--gen2': 'bare',
  '--region': 'value',
  '--runtime': 'value',
  '--entry-point': 'value',
  '--service-account': 'value',
  '--allow-unauthenticated': 'bare',
  '--concurrency': 'value',
  '--cpu': 'value',
  '--memory': 'value',
  '--timeout': 'value',
  '--max-instances': 'value',
  '--set-env-vars': 'value',
  '--set-secrets': 'value',
  '--serve-all-traffic-latest-revision': 'bare',
  '--retry': 'bare',
  '--trigger-http': 'bare',
  '--trigger-location': 'value',
  '--trigger-service-account': 'value',
  '--trigger-event-filters': 'list',
  '--trigger-event-filters-path-pattern': 'list',
  '--source': 'value',
  '--update-labels': 'value',
};

const JOB_FLAGS: Readonly<Record<string, FlagKind>> = {
  '--location': 'value',
  '--schedule': 'value',
  '--time-zone': 'value',
  '--http-method': 'value',
  '--uri': 'value',
  '--oidc-service-account-email': 'value',
  '--oidc-token-audience': 'value',
  '--attempt-deadline': 'value',
  '--description': 'value',
};

/** The functions, and the schedule that calls one of them. */
export const FUNCTIONS: readonly Command[] = [
  {
    path: 'functions describe',
    positionals: 1,
    flags: { '--region': 'value' },
    required: ['--region'],
    api: 'cloudfunctions',
    run: ({ state, positionals: [name = ''] }) => {
      const { labels, state: condition } = there(state.functions, name);
      return [{ labels, state: condition, serviceConfig: { uri: `https://${name}-x.a.run.app` } }];
    },
  },
  {
    path: 'functions deploy',
    positionals: 1,
    flags: DEPLOY_FLAGS,
    required: ['--region', '--gen2', '--source', '--runtime'],
    api: 'cloudfunctions',
    run: deployFunction,
  },
  {
    path: 'scheduler jobs describe',
    positionals: 1,
    flags: { '--location': 'value' },
    required: ['--location'],
    api: 'cloudscheduler',
    run: ({ state, positionals: [name = ''] }) => [
      { description: there(state.jobs, name)['--description'] },
    ],
  },
  {
    path: 'scheduler jobs create http',
    positionals: 1,
    flags: JOB_FLAGS,
    required: ['--schedule', '--uri', '--location'],
    api: 'cloudscheduler',
    run: ({ state, positionals: [name = ''], given, text }) => {
      there(state.accounts, text('--oidc-service-account-email'));
      add(state.jobs, name, ownFlags(given));
    },
  },
  {
    path: 'scheduler jobs update http',
    positionals: 1,
    flags: JOB_FLAGS,
    required: ['--location'],
    api: 'cloudscheduler',
    run: ({ state, positionals: [name = ''], given, text }) => {
      there(state.accounts, text('--oidc-service-account-email'));
      state.jobs[name] = { ...there(state.jobs, name), ...ownFlags(given) };
    },
  },
];

function deployFunction({ state, positionals: [name = ''], given, text }: Call): undefined {
  const source = text('--source');
  const files = Object.fromEntries(
    readdirSync(source).map((file) => [file, readFileSync(join(source, file), 'utf8')]),
  );
  for (const file of ['index.js', 'package.json']) there(files, file);
  there(state.accounts, text('--service-account'));
  for (const pair of text('--set-secrets').split(',')) {
    const [, secret = '', version = ''] = /=(.*):(.*)$/.exec(pair) ?? [];
    versionOf(state, secret, version);
    const member = `serviceAccount:${text('--service-account')}`;
    const role = 'roles/secretmanager.secretAccessor';
    const readers = state.bindings[`secrets ${secret}`] ?? [];
    if (!readers.some((held) => held.member === member && held.role === role)) {
      throw new Refused(`Permission denied on secret ${secret} for ${member}`);
    }
  }
  if (!('--trigger-http' in given)) checkTrigger(state, given, text);
  const before = state.functions[name];
  state.functions[name] = {
    given: Object.fromEntries(
      Object.entries(ownFlags(given)).filter(([flag]) => flag !== '--source'),
    ),
    labels: Object.fromEntries([text('--update-labels').split('=')]),
    state: 'ACTIVE',
    source: files,
    revision: (before?.revision ?? 0) + 1,
  };
}

function checkTrigger(state: State, given: Call['given'], text: Call['text']): void {
  there(state.accounts, text('--trigger-service-account'));
  const filters = [given['--trigger-event-filters'] ?? []].flat().map(String);
  const database = filters.find((filter) => filter.startsWith('database='))?.slice(9) ?? '';
  const { locationId } = there(state.databases, database);
  if (text('--trigger-location') !== locationId) {
    throw new Refused(`the trigger's location must be that of its database: ${locationId}`);
  }
}
