import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { REPOSITORY, run } from '../support/packed.js';

interface Step {
  readonly uses?: string;
  readonly name?: string;
  readonly run?: string;
}

interface Job {
  readonly needs?: string;
  readonly container?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const text = await readFile(join(REPOSITORY, '.github/workflows/publish.yml'), 'utf8');
const { on, permissions, jobs } = parse(text);
const { pack, publish } = jobs as { pack: Job; publish: Job };
const commandsOf = ({ steps }: Job) => steps.flatMap((step) => step.run ?? []);
const named = (name: RegExp) => pack.steps.find((step) => name.test(step.name ?? ''))?.run ?? '';

/** Runs a step as GitHub does: bash that stops at the first failure. */
async function passes(step: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const bash = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step];
  const whole = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
  const ended = await run('bash', bash, { cwd: REPOSITORY, env: whole }).catch(() => undefined);
  return ended !== undefined;
}

test('it runs for a published release alone', () => {
  expect(on).toEqual({ release: { types: ['published'] } });
});

test('what is published was tested on Node 20, by the command that guards every change', () => {
  expect(publish.needs).toBe('pack');
  expect(pack.container).toMatch(/^node:20-/);
  const commands = commandsOf(pack);
  const order = ['.ci/run', 'npm run check:package', 'npm pack --ignore-scripts'];
  expect(commands.filter((command) => order.includes(command))).toEqual(order);
  expect(pack.steps.some((step) => /continue-on-error|if/.test(Object.keys(step).join()))).toBe(
    false,
  );
});

test('the right to sign is given where nothing of the repository is run', () => {
  expect(permissions).toEqual({ contents: 'read' });
  expect(pack.permissions).toBeUndefined();
  expect(publish.permissions).toEqual({ 'id-token': 'write' });
  expect(publish.steps.map(({ uses }) => uses ?? '').join()).not.toContain('checkout');
  const commands = commandsOf(publish);
  expect(commands).toEqual([
    'npm install --global npm@11',
    'npm publish ./*.tgz --provenance --access public',
  ]);
  expect(text).not.toMatch(/secrets\.|NODE_AUTH_TOKEN|npm_token/i);
});

test('every action is pinned', () => {
  const actions = [pack, publish].flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(actions.length).toBeGreaterThan(0);
  for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})/);
});

test('a tag that is not the version stops it', async () => {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
  const step = named(/tag/);
  expect(await passes(step, { GITHUB_REF_NAME: `v${version}` })).toBe(true);
  expect(await passes(step, { GITHUB_REF_NAME: 'v999.0.0' })).toBe(false);
  expect(await passes(step, { GITHUB_REF_NAME: version })).toBe(false);
});

test('a repository that package.json does not name stops it', async () => {
  const { repository } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
  const step = named(/repository/);
  const server = { GITHUB_SERVER_URL: 'https://github.com' };
  const owned = /^git\+https:\/\/github\.com\/(.+)\.git$/.exec(repository?.url)?.[1];
  expect(await passes(step, { ...server, GITHUB_REPOSITORY: 'somebody/else' })).toBe(false);
  if (repository !== undefined) {
    expect(await passes(step, { ...server, GITHUB_REPOSITORY: owned ?? '' })).toBe(true);
  }
});
