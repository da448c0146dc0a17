import type { Command, FlagKind } from './command.js';
import { flattened } from './format.js';
import { add, Refused, type State, settle, there } from './state.js';

/** Service accounts, and who may do what on which resource. */
export const IAM: readonly Command[] = [
  {
    path: 'iam service-accounts list',
    positionals: 0,
    flags: {},
    api: 'iam',
    run: ({ state }) => Object.keys(state.accounts).map((email) => ({ email })),
  },
  {
    path: 'iam service-accounts create',
    positionals: 1,
    flags: { '--display-name': 'value' },
    api: 'iam',
    run: ({ state, positionals: [id = ''], text }) => {
      if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(id)) throw new Refused(`bad account id ${id}`);
      const email = `${id}@${state.project}.iam.gserviceaccount.com`;
      add(state.accounts, email, { displayName: text('--display-name') });
    },
  },
  ...policyCommands(
    'projects',
    'cloudresourcemanager',
    {},
    (state, name) => name === state.project,
  ),
  ...policyCommands('storage buckets', 'storage', {}, (state, name) => name in state.buckets),
  ...policyCommands('secrets', 'secretmanager', {}, (state, name) => name in state.secrets),
  ...policyCommands('run services', 'run', { '--region': 'value' }, (state, name) => {
    return name in state.functions;
  }),
];

function policyCommands(
  group: string,
  api: string,
  flags: Readonly<Record<string, FlagKind>>,
  known: (state: State, name: string) => boolean,
): Command[] {
  const held = (state: State, name: string) => {
    if (!known(state, name)) throw new Refused(`NOT_FOUND: ${group} ${name}`);
    return state.bindings[`${group} ${name}`] ?? [];
  };
  return [
    {
      path: `${group} get-iam-policy`,
      positionals: 1,
      flags,
      required: ['--flatten', ...Object.keys(flags)],
      api,
      run: ({ state, positionals: [name = ''] }) => flattened(held(state, name)),
    },
    {
      path: `${group} add-iam-policy-binding`,
      positionals: 1,
      flags: { ...flags, '--member': 'value', '--role': 'value', '--condition': 'value' },
      required: ['--member', '--role', ...Object.keys(flags)],
      api,
      run: ({ state, positionals: [name = ''], text }) => {
        const bindings = held(state, name);
        const [member, role] = [text('--member'), text('--role')];
        if (text('--condition') !== 'None') throw new Refused('the fake knows no conditions');
        const [kind, email = ''] = member.split(':');
        if (kind === 'serviceAccount') {
          settle(state, `Service account ${email} does not exist.`);
          there(state.accounts, email);
        } else if (member !== 'allUsers') throw new Refused(`no such member: ${member}`);
        if (member === 'allUsers' && state.buckets[name]?.public_access_prevention === 'enforced') {
          throw new Refused('public access prevention is enforced');
        }
        // gcloud itself adds a binding twice without a word, and the policy stays as it is.
        if (!bindings.some((one) => one.member === member && one.role === role)) {
          state.bindings[`${group} ${name}`] = [...bindings, { member, role }];
        }
      },
    },
  ];
}
