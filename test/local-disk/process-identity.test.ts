import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import {
  isGone,
  isProcessIdentity,
  type ProcessIdentity,
  thisProcess,
} from '../../src/local-disk/process-identity.js';
import { LocalWorker } from '../support/local-processes.js';

function identityOf(line: string): ProcessIdentity {
  const identity: unknown = JSON.parse(line);
  if (!isProcessIdentity(identity)) throw new Error(`no identity: ${line}`);
  return identity;
}

describe('process identity', { timeout: 60_000 }, () => {
  test('this process lives', () => {
    expect(thisProcess().pid).toBe(process.pid);
    expect(thisProcess().started).not.toBe('unknown');
    expect(isGone(thisProcess())).toBe(false);
  });

  test('a child lives until it is killed', async ({ onTestFinished }) => {
    const worker = new LocalWorker(['identity']);
    onTestFinished(() => worker.kill());
    const identity = identityOf(await worker.line());
    expect(identity.pid).toBe(worker.pid);
    expect(isGone(identity)).toBe(false);
    await worker.kill();
    expect(isGone(identity)).toBe(true);
  });

  test('a stopped child lives', async ({ onTestFinished }) => {
    const worker = new LocalWorker(['identity']);
    onTestFinished(() => worker.kill());
    const identity = identityOf(await worker.line());
    worker.child.kill('SIGSTOP');
    expect(isGone(identity)).toBe(false);
  });

  test('a killed child whose parent does not ask for it is gone, though its pid still answers', async () => {
    const worker = fileURLToPath(new URL('../support/local-worker.ts', import.meta.url));
    // The shell turns into a program that never waits for the child it inherits.
    const script = 'exec 3<&0; "$0" --import tsx "$1" identity <&3 & exec sleep 600';
    const parent = spawn('/bin/sh', ['-c', script, process.execPath, worker], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(createInterface(parent.stdout), 'line');
      const identity = identityOf(String(line));
      expect(isGone(identity)).toBe(false);
      process.kill(identity.pid, 'SIGKILL');
      await vi.waitFor(() => expect(isGone(identity)).toBe(true), {
        timeout: 20_000,
        interval: 10,
      });
      expect(() => process.kill(identity.pid, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('a pid that was handed out again is another process', () => {
    const me = thisProcess();
    const started = me.started.replace(/\d+$/, (last) => String(Number(last) + 1));
    expect(isGone({ ...me, started })).toBe(true);
  });

  test('nobody is gone who cannot be seen from here', async ({ onTestFinished }) => {
    const worker = new LocalWorker(['identity']);
    onTestFinished(() => worker.kill());
    const dead = identityOf(await worker.line());
    await worker.kill();
    expect(isGone(dead)).toBe(true);
    expect(isGone({ ...dead, host: `${dead.host}-other` })).toBe(false);
    const [boot, namespace, ticks] = dead.started.split('/');
    if (namespace === undefined) return;
    expect(isGone({ ...dead, started: `${boot}/1${namespace}/${ticks}` })).toBe(false);
    expect(isGone({ ...dead, started: `00000000/${namespace}/${ticks}` })).toBe(true);
  });

  test('who did not learn its own start is gone with its pid alone', async ({ onTestFinished }) => {
    const worker = new LocalWorker(['identity']);
    onTestFinished(() => worker.kill());
    const identity = { ...identityOf(await worker.line()), started: 'unknown' };
    expect(isGone(identity)).toBe(false);
    await worker.kill();
    expect(isGone(identity)).toBe(true);
  });

  test.each([
    null,
    'text',
    {},
    { host: 'h', pid: 1.5, started: 's' },
    { host: 'h', pid: 0, started: 's' },
    { host: 'h', pid: -1, started: 's' },
    { host: 1, pid: 1, started: 's' },
    { host: 'h', pid: 1 },
  ])('is no identity: %j', (value) => {
    expect(isProcessIdentity(value)).toBe(false);
  });
});
