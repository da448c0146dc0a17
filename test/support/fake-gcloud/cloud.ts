import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer } from './answer.js';
import type { State } from './state.js';

const SCRIPT = fileURLToPath(new URL('../../../deploy/deploy.sh', import.meta.url));

/** Not yet used for this: what every project has, and Firestore, where the flow runs lie. */
const NEW_PROJECT: State = {
  project: 'my-project',
  services: ['firestore', 'logging', 'monitoring', 'storage', 'cloudresourcemanager'].map(
    (name) => `${name}.googleapis.com`,
  ),
  databases: { '(default)': { locationId: 'europe-west1', type: 'FIRESTORE_NATIVE' } },
  accounts: {},
  bindings: {},
  buckets: {},
  secrets: {},
  functions: {},
  jobs: {},
  metrics: {},
  alerts: {},
  failing: {},
  settling: 0,
};

/**
 * Hands its arguments on and passes back what comes: it starts 50 times a run, where a node, and
 * even an `env` or a `cat`, would take most of the time.
 */
const GCLOUD = (port: number) => `
exec 3<>/dev/tcp/127.0.0.1/${port}
printf '%s\\0' "$@" '' >&3
read -r code <&3
IFS= read -r -d '' text <&3
if [ "$code" != 0 ]; then exec >&2; fi
printf '%s' "$text"
exit "$code"`;
const BASH = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim();

export interface Noted {
  readonly argv: readonly string[];
  readonly changed: boolean;
  readonly exitCode: number;
  readonly text: string;
}

/** A project that the deployment script works on, with a fake `gcloud` first on its PATH. */
export class FakeCloud {
  /** May be changed between two runs. */
  readonly state: State;
  readonly folder: string;
  #calls: Noted[] = [];

  private constructor(folder: string, state: State) {
    this.folder = folder;
    this.state = state;
  }

  static async open(
    afterwards: (undo: () => Promise<void>) => void,
    state: Partial<State> = {},
  ): Promise<FakeCloud> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'fake-gcloud-')));
    const cloud = new FakeCloud(folder, structuredClone({ ...NEW_PROJECT, ...state }));
    const server = createServer((socket) => {
      let asked = '';
      socket.on('data', (chunk) => {
        asked += chunk;
        if (!asked.endsWith('\0\0')) return;
        const { exitCode, text } = cloud.#answer(asked.slice(0, -2).split('\0'));
        socket.end(`${exitCode}\n${text}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await cloud.program('gcloud', GCLOUD((server.address() as AddressInfo).port));
    afterwards(async () => {
      server.close();
      await rm(folder, { recursive: true, force: true });
    });
    return cloud;
  }

  /** A program on the script's PATH, as a shell script. */
  async program(name: string, body: string): Promise<void> {
    const file = await this.file(name, `#!${BASH}\n${body}\n`);
    await chmod(file, 0o755);
  }

  async file(name: string, content: string): Promise<string> {
    await writeFile(join(this.folder, name), content);
    return join(this.folder, name);
  }

  /** Every call since the last time it was asked. */
  calls(): Noted[] {
    return this.#calls.splice(0);
  }

  deploy(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const options = {
      cwd: this.folder,
      env: {
        PATH: `${this.folder}:${process.env.PATH}`,
        TMPDIR: this.folder,
        PAUSE_SECONDS: '0',
        ...env,
      },
    };
    return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve, reject) => {
      execFile(SCRIPT, argv, options, (error, stdout, stderr) => {
        const exitCode = error ? error.code : 0;
        if (typeof exitCode !== 'number') reject(error);
        else resolve({ exitCode, stdout, stderr });
      });
    });
  }

  #answer(argv: readonly string[]) {
    const before = JSON.stringify(this.state);
    const answered = answer(this.state, argv);
    this.#calls.push({ argv, changed: JSON.stringify(this.state) !== before, ...answered });
    return answered;
  }
}
