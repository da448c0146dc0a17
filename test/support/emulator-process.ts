import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface EmulatorProcess {
  /** `host:port`; it may still be starting. */
  readonly host: string;
  stop(): Promise<void>;
}

/** What a server of hours gains by compiling its code twice, one of minutes never gets back. */
const SHORT_LIVED = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

/** Starts a Firestore emulator; `undefined`: there is none on this machine. */
export async function startEmulator(): Promise<EmulatorProcess | undefined> {
  const launcher = emulatorLauncher();
  if (launcher === undefined) return undefined;
  const port = await freePort();
  const argv = ['start', '--host=127.0.0.1', `--port=${port}`];
  // A group of its own: the launcher is a shell script over Java, and both have to end.
  const env = { JAVA_TOOL_OPTIONS: SHORT_LIVED, ...process.env };
  const child = spawn(launcher, argv, { detached: true, stdio: 'ignore', env });
  return { host: `127.0.0.1:${port}`, stop: () => endGroup(child) };
}

const START_MS = 60_000;

/** Resolves once it answers, and is warm. */
export async function emulatorIsUp(host: string): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const up = await fetch(`http://${host}/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) {
      // Its first commit takes seconds, longer than a call may.
      const warm = {
        method: 'PATCH',
        body: '{"fields":{}}',
        headers: { authorization: 'Bearer owner' },
      };
      const path = 'v1/projects/demo-warm/databases/(default)/documents/warm/up';
      const { ok } = await fetch(`http://${host}/${path}`, warm);
      if (ok) return;
    }
    await sleep(100);
  }
  throw new Error(`the Firestore emulator at ${host} did not start`);
}

function emulatorLauncher(): string | undefined {
  return [process.env.CLOUDSDK_ROOT_DIR, sdkOfGcloud(), '/usr/lib/google-cloud-sdk']
    .filter((sdk) => sdk !== undefined)
    .map((sdk) => join(sdk, 'platform/cloud-firestore-emulator/cloud_firestore_emulator'))
    .find((launcher) => existsSync(launcher));
}

function sdkOfGcloud(): string | undefined {
  try {
    const gcloud = execFileSync('sh', ['-c', 'command -v gcloud'], { encoding: 'utf8' }).trim();
    return dirname(dirname(realpathSync(gcloud)));
  } catch {
    return undefined;
  }
}

function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return Promise.resolve();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, 'SIGKILL');
  return gone;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
