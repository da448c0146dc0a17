import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';

/**
 * Vitest's global set-up: one Firestore emulator for all test files, started beside them so that
 * nobody waits who does not need it. One that is running already is used as it is.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env.FIRESTORE_EMULATOR_HOST;
  const launcher = emulatorLauncher();
  if (running || launcher === undefined) {
    if (!running && process.env.REQUIRE_FIRESTORE_EMULATOR === '1') {
      throw new Error(`REQUIRE_FIRESTORE_EMULATOR is set: ${NONE}`);
    }
    project.provide('firestoreEmulator', running ?? null);
    return async () => undefined;
  }
  const port = await freePort();
  project.provide('firestoreEmulator', `127.0.0.1:${port}`);
  const argv = ['start', '--host=127.0.0.1', `--port=${port}`];
  // A group of its own: the launcher is a shell script over Java, and both have to end.
  const child = spawn(launcher, argv, { detached: true, stdio: 'ignore' });
  return () => endGroup(child);
}

const NONE = 'no FIRESTORE_EMULATOR_HOST, no Google Cloud SDK with cloud-firestore-emulator';

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
