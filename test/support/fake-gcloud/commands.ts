import type { Command } from './command.js';
import { FUNCTIONS } from './functions.js';
import { IAM } from './iam.js';
import { MONITORING } from './monitoring.js';
import { there } from './state.js';
import { STORAGE_AND_SECRETS } from './storage-and-secrets.js';

/** Every command that the deployment may use, with just the flags that it uses. */
export const COMMANDS: readonly Command[] = [
  {
    path: 'firestore databases describe',
    positionals: 0,
    flags: { '--database': 'value' },
    api: 'firestore',
    run: ({ state, text }) => [there(state.databases, text('--database'))],
  },
  {
    path: 'services list',
    positionals: 0,
    flags: { '--enabled': 'bare' },
    required: ['--enabled'],
    api: '',
    run: ({ state }) => state.services.map((name) => ({ config: { name } })),
  },
  {
    path: 'services enable',
    positionals: -1,
    flags: {},
    api: '',
    run: ({ state, positionals }) => {
      state.services.push(...positionals.filter((name) => !state.services.includes(name)));
    },
  },
  ...IAM,
  ...STORAGE_AND_SECRETS,
  ...FUNCTIONS,
  ...MONITORING,
];
