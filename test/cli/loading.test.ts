import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emptyFolder, jsonFile, runCli } from '../support/cli-run.js';

const FIVE = fileURLToPath(
  new URL('../../fixtures/flow-runs/five-templates.json', import.meta.url),
);
const RECORD_LOADS = new URL('record-loads.mjs', import.meta.url).href;
const LOAD_PACKAGE = new URL('load-package.mjs', import.meta.url).href;
const REFUSE_NETWORK = new URL('refuse-network.mjs', import.meta.url).href;

const HELP = ['--help'];
const HELP_OF_COMMAND = ['run-local', '--help'];
const MOCK_RUN = ['run-local', '--flow-run-path', FIVE];

type OnTestFinished = (undo: () => Promise<void>) => void;

/** A module that does this; preloaded after the observers. */
function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** The npm packages that a command line loads, and its exit code. */
async function packagesOf(
  argv: readonly string[],
  undo: OnTestFinished,
  then: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
) {
  const cwd = await emptyFolder(undo);
  const loads = join(cwd, 'loads');
  await writeFile(loads, '');
  const env = { ...more, LOADS_FILE: loads };
  const { exitCode } = await runCli(argv, { cwd, env, preload: [RECORD_LOADS, ...then] });
  const urls = (await readFile(loads, 'utf8')).split('\n');
  const packages = urls.flatMap((url) => {
    const [, name] =
      /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url.replaceAll('\\', '/')) ?? [];
    return name === undefined ? [] : [name];
  });
  return { exitCode, packages: new Set(packages), urls };
}

describe('what a command loads', () => {
  const google = ['@google-cloud/firestore', '@google-cloud/storage'];
  const late = [...google, 'got', 'ora', 'ajv', 'ajv-formats'];

  test.for([
    { what: '--help', argv: HELP, exit: 0, never: late },
    { what: 'run-local --help', argv: HELP_OF_COMMAND, exit: 0, never: late },
    { what: '--version', argv: ['--version'], exit: 0, never: late },
    { what: 'a mistyped flag', argv: ['run-local', '--flow-run-pth', 'x'], exit: 2, never: late },
    { what: 'a mock run', argv: MOCK_RUN, exit: 0, never: [...google, 'got'] },
    {
      what: 'a real run without accounts',
      argv: [...MOCK_RUN, '--charts-api-mode', 'real'],
      exit: 2,
      never: [...google, 'got'],
    },
  ])('$what: not $never', async ({ argv, exit, never }, { onTestFinished }) => {
    const { exitCode, packages } = await packagesOf(argv, onTestFinished);
    expect(exitCode).toBe(exit);
    expect(packages).toContain('commander');
    expect(never.filter((name) => packages.has(name))).toEqual([]);
  });

  test('a mock run loads the stages, which --help does not', async ({ onTestFinished }) => {
    const engine = (urls: string[]) => urls.filter((url) => url.includes('/dist/engine/')).length;
    expect(engine((await packagesOf(MOCK_RUN, onTestFinished)).urls)).toBeGreaterThan(5);
    expect(engine((await packagesOf(HELP, onTestFinished)).urls)).toBe(0);
  });

  // That the observer sees such a load when it happens; `got` and `ora` can only be imported.
  test.for([
    ...late.map((name) => [name, 'import'] as const),
    ...[...google, 'ajv', 'ajv-formats'].map((name) => [name, 'require'] as const),
  ])('%s would be seen by %s', async ([name, by], { onTestFinished }) => {
    const env = { PACKAGE: name, LOAD_BY: by };
    const { exitCode, packages } = await packagesOf(HELP, onTestFinished, [LOAD_PACKAGE], env);
    expect(exitCode).toBe(0);
    expect(packages).toContain(name);
  });
});

describe('the network', () => {
  /** What was reached for, while the program ran and before it. */
  async function reachedFor(argv: readonly string[], then: string[], undo: OnTestFinished) {
    const cwd = await emptyFolder(undo);
    const reached = join(cwd, 'network');
    await writeFile(reached, '');
    const env = { NETWORK_FILE: reached };
    const ended = await runCli(argv, { cwd, env, preload: [REFUSE_NETWORK, ...then] });
    const names = (await readFile(reached, 'utf8')).split('\n').filter((line) => line !== '');
    return { ...ended, names };
  }

  test('is not touched by a mock run, neither with accounts', async ({ onTestFinished }) => {
    const plain = await reachedFor(MOCK_RUN, [], onTestFinished);
    expect(plain).toMatchObject({ exitCode: 0, names: [] });
    const accounts = [{ id: 'acc-1', apiKey: 'x', dailyLimit: 50 }];
    const folder = await emptyFolder(onTestFinished);
    const path = await jsonFile(folder, 'accounts.json', accounts);
    const argv = [...MOCK_RUN, '--accounts-config-path', path];
    const paying = await reachedFor(argv, [], onTestFinished);
    expect(paying).toMatchObject({ exitCode: 0, names: [] });
  });

  // That the observer sees it.
  test.for([
    ['net', "import net from 'node:net'; try { net.connect(9, '127.0.0.1') } catch {}", 'connect'],
    ['tls', "import tls from 'node:tls'; try { tls.connect(9, '127.0.0.1') } catch {}", 'connect'],
    [
      'http',
      "import { get } from 'node:http'; try { get('http://127.0.0.1:9').on('error', () => 0) } catch {}",
      'connect',
    ],
    [
      'https',
      "import { get } from 'node:https'; try { get('https://127.0.0.1:9').on('error', () => 0) } catch {}",
      'connect',
    ],
    ['fetch', "await fetch('http://127.0.0.1:40009').catch(() => 0)", 'connect'],
    [
      'a name',
      "import { lookup } from 'node:dns'; try { lookup('localhost', () => 0) } catch {}",
      'dns lookup',
    ],
    [
      'a name, awaited',
      "import { resolve4 } from 'node:dns/promises'; try { await resolve4('localhost') } catch {}",
      'dns resolve4',
    ],
    [
      'udp',
      "import { createSocket } from 'node:dgram'; try { createSocket('udp4').send('x', 9) } catch {}",
      'udp send',
    ],
    [
      'a server',
      "import { createServer } from 'node:net'; try { createServer().listen(0) } catch {}",
      'listen',
    ],
  ] as const)('%s would be seen', async ([, source, name], { onTestFinished }) => {
    const { names } = await reachedFor(HELP, [moduleOf(source)], onTestFinished);
    expect(names).toContain(name);
  });
});
