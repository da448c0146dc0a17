import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emptyFolder, jsonFile, runCli } from '../support/cli-run.js';

const FIVE = fileURLToPath(
  new URL('../../fixtures/flow-runs/five-templates.json', import.meta.url),
);
const RECORD_LOADS = new URL('record-loads.mjs', import.meta.url).href;
const REFUSE_NETWORK = new URL('refuse-network.mjs', import.meta.url).href;

const HELP = ['--help'];
const HELP_OF_COMMAND = ['run-local', '--help'];
const MOCK_RUN = ['run-local', '--flow-run-path', FIVE];

type OnTestFinished = (undo: () => Promise<void>) => void;

/** A module that does this; preloaded after the observers. */
function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** The files of ours and the npm packages that a command line loads, and its exit code. */
async function loadsOf(
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
  const urls = (await readFile(loads, 'utf8')).replaceAll('\\', '/').split('\n');
  const firstIn = (pattern: RegExp) => [
    ...new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? [])),
  ];
  return {
    exitCode,
    files: firstIn(/^(?!.*\/node_modules\/).*\/dist\/(.*)/),
    packages: firstIn(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
  };
}

describe.concurrent('what a command loads', () => {
  const start = ['cli/main.cjs', 'chunks/rolldown-runtime.cjs'];
  const help = [...start, 'chunks/help.cjs'];
  const run = [...start, 'chunks/run.cjs'];

  test.for([
    { what: '--help', argv: HELP, exit: 0, files: help },
    { what: 'run-local --help', argv: HELP_OF_COMMAND, exit: 0, files: help },
    { what: '--version', argv: ['--version'], exit: 0, files: help },
    { what: 'a mistyped flag', argv: ['run-local', '--flow-run-pth', 'x'], exit: 2, files: help },
    { what: 'a mock run', argv: MOCK_RUN, exit: 0, files: run },
    {
      what: 'a real run without accounts',
      argv: [...MOCK_RUN, '--charts-api-mode', 'real'],
      exit: 2,
      files: run,
    },
  ])('$what: $files and no package', async ({ argv, exit, files }, { onTestFinished }) => {
    expect(await loadsOf(argv, onTestFinished)).toEqual({ exitCode: exit, files, packages: [] });
  });

  // The framework lies in the door's chunk, which nothing else is in.
  test('serve loads its framework, once nothing is wrong', async ({ onTestFinished }) => {
    const isDoor = (file: string) => /door|serve/.test(file);
    const wrong = await loadsOf(['serve', '--port', 'x'], onTestFinished);
    expect([wrong.exitCode, wrong.files.filter(isDoor), wrong.packages]).toEqual([
      2,
      ['chunks/serve.cjs'],
      [],
    ]);
    const env = { CHARTS_API_TOKEN: 'not-a-real-token-0123456789' };
    const argv = ['serve', '--host', '192.0.2.1'];
    const right = await loadsOf(argv, onTestFinished, [], env);
    expect([right.exitCode, right.files.filter(isDoor), right.packages]).toEqual([
      2,
      ['chunks/serve.cjs', 'chunks/door.cjs'],
      [],
    ]);
    const chunk = (file: string) =>
      readFile(new URL(`../../dist/${file}`, import.meta.url), 'utf8');
    expect(await chunk('chunks/door.cjs')).toContain('FST_ERR_');
    for (const file of wrong.files) expect(await chunk(file)).not.toContain('FST_ERR_');
  });

  // What is loaded late all the same, and that the observer sees it.
  describe('a run in the cloud', () => {
    const argv = [...MOCK_RUN, '--backend', 'gcp', '--charts-bucket', 'charts-bucket'];

    test('on emulators needs no package either', async ({ onTestFinished }) => {
      const env = {
        FIRESTORE_EMULATOR_HOST: '127.0.0.1:9',
        STORAGE_EMULATOR_HOST: 'http://127.0.0.1:9',
        GOOGLE_CLOUD_PROJECT: 'demo-loads',
      };
      expect(await loadsOf(argv, onTestFinished, [], env)).toEqual({
        exitCode: 4,
        files: [...run, 'chunks/cloud.cjs', 'chunks/http.cjs'],
        packages: [],
      });
    });

    test('elsewhere loads the sign-in', async ({ onTestFinished }) => {
      const env = { GOOGLE_APPLICATION_CREDENTIALS: '/no/such/key.json' };
      const { exitCode, packages } = await loadsOf(argv, onTestFinished, [], env);
      expect(exitCode).toBe(2);
      expect(packages).toContain('google-auth-library');
    });
  });
});

describe.concurrent('the network', () => {
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
