import { readFileSync } from 'node:fs';
import type { Command } from './command.js';
import { add, type Bucket, Refused, type State, there } from './state.js';

export const STORAGE_AND_SECRETS: readonly Command[] = [
  {
    path: 'storage buckets describe',
    positionals: 1,
    flags: {},
    api: 'storage',
    run: ({ state, positionals: [url = ''] }) => [there(state.buckets, url)],
  },
  {
    path: 'storage buckets create',
    positionals: 1,
    flags: {
      '--location': 'value',
      '--uniform-bucket-level-access': 'bare',
      '--public-access-prevention': 'bare',
    },
    api: 'storage',
    run: ({ state, positionals: [url = ''], given, text }) => {
      const bucket: Bucket = {
        location: text('--location'),
        uniform_bucket_level_access: '--uniform-bucket-level-access' in given,
        public_access_prevention: '--public-access-prevention' in given ? 'enforced' : 'inherited',
      };
      add(state.buckets, url, bucket);
    },
  },
  {
    path: 'storage buckets update',
    positionals: 1,
    flags: { '--public-access-prevention': 'bare' },
    api: 'storage',
    run: ({ state, positionals: [url = ''], given }) => {
      there(state.buckets, url).public_access_prevention =
        '--public-access-prevention' in given ? 'enforced' : 'inherited';
    },
  },
  {
    path: 'secrets describe',
    positionals: 1,
    flags: {},
    api: 'secretmanager',
    run: ({ state, positionals: [name = ''] }) => [{ versions: there(state.secrets, name).length }],
  },
  {
    path: 'secrets create',
    positionals: 1,
    flags: { '--replication-policy': 'value', '--data-file': 'value' },
    required: ['--replication-policy'],
    api: 'secretmanager',
    run: ({ state, positionals: [name = ''], given }) => {
      const content = given['--data-file'];
      add(
        state.secrets,
        name,
        content === undefined ? [] : [readFileSync(String(content), 'utf8')],
      );
    },
  },
  {
    path: 'secrets versions list',
    positionals: 1,
    flags: { '--filter': 'value', '--sort-by': 'value', '--limit': 'value' },
    api: 'secretmanager',
    run: ({ state, positionals: [name = ''], text }) => {
      if (text('--filter') !== 'state=ENABLED' || text('--sort-by') !== '~createTime') {
        throw new Refused('the fake lists the enabled versions, the newest first');
      }
      return there(state.secrets, name)
        .map((_, index) => ({ name: `projects/1/secrets/${name}/versions/${index + 1}` }))
        .reverse()
        .slice(0, Number(text('--limit')));
    },
  },
  {
    path: 'secrets versions access',
    positionals: 1,
    flags: { '--secret': 'value' },
    api: 'secretmanager',
    run: ({ state, positionals: [version = ''], text }) =>
      versionOf(state, text('--secret'), version),
  },
  {
    path: 'secrets versions add',
    positionals: 1,
    flags: { '--data-file': 'value' },
    api: 'secretmanager',
    run: ({ state, positionals: [name = ''], text }) => {
      there(state.secrets, name).push(readFileSync(text('--data-file'), 'utf8'));
    },
  },
];

/** What one version of a secret holds. */
export function versionOf(state: State, secret: string, version: string): string {
  const content = there(state.secrets, secret)[Number(version) - 1];
  if (content === undefined) throw new Refused(`NOT_FOUND: version ${version} of ${secret}`);
  return content;
}
