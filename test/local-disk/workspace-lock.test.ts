import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { StoreUnavailable } from '../../src/failures.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { bareLock, plantLink } from '../support/bare-lock.js';
import { LocalWorker, runWorker, temporaryFolder } from '../support/local-processes.js';
import { PROVING } from '../support/share.js';

/** Far below the 10 s that others wait for a living holder, far above what a busy machine takes. */
const AT_ONCE_MS = 6_000;

/** Processes that meet, how often each of them adds, and how often it inherits. */
const [CROWD, TIMES, HOLDS] = PROVING ? [5, 50, 150] : [3, 12, 40];
const HEIRS = PROVING ? 8 : 4;

async function locksIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('.lock'));
}

async function counterIn(workspace: Workspace): Promise<number> {
  return workspace.transact((transaction) => {
    const state = transaction.read(join(workspace.root, 'counter'));
    return Number(state?.bytes.toString() ?? 0);
  });
}

/** A worker that surely has the lock of `root`. */
async function holderOf(
  root: string,
  onTestFinished: (undo: () => Promise<void>) => void,
  job = 'hold',
): Promise<LocalWorker> {
  const worker = new LocalWorker([job, root]);
  onTestFinished(() => worker.kill());
  expect(await worker.line()).toBe('held');
  return worker;
}

async function timed<T>(body: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now();
  return { result: await body(), ms: performance.now() - start };
}

describe.concurrent('the lock, across processes', { timeout: 120_000 }, () => {
  test('processes that add to one file lose nothing', async ({ expect, onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    await Promise.all(Array.from({ length: CROWD }, () => runWorker(['add', root, String(TIMES)])));
    const workspace = await Workspace.open(root);
    expect(await counterIn(workspace)).toBe(CROWD * TIMES);
    await workspace.close();
    expect((await readdir(root)).sort()).toEqual(['.gitignore', 'counter']);
  });

  test('processes that count in documents under versions end exact', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    let counting = true;
    const workers = Array.from({ length: CROWD }, () =>
      runWorker(['count', root, String(TIMES), 'slowly']),
    );
    const counted = Promise.all(workers).finally(() => {
      counting = false;
    });
    const workspace = await Workspace.open(root);
    const store = new LocalDocumentStore(workspace);
    const seen = new Set<unknown>();
    for (let last = false; !last; ) {
      last = !counting;
      const reading = await store.read(['counters/a', 'counters/b']);
      const [a, b] = ['counters/a', 'counters/b'].map((path) => reading.get(path)?.data.value);
      expect(a).toBe(b);
      seen.add(a);
    }
    await counted;
    expect(seen.size).toBeGreaterThan(3);
    expect(seen).toContain(CROWD * TIMES);
    await workspace.close();
  });

  test('a stopped holder is waited for, named, and loses nothing when it wakes', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const holder = await holderOf(root, onTestFinished);
    holder.child.kill('SIGSTOP');
    const workspace = await Workspace.open(root);
    const { result: error, ms } = await timed(() => counterIn(workspace).catch((e: unknown) => e));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(String(error)).toContain(`${join(root, '.lock')} is held by process ${holder.pid} on `);
    expect(ms).toBeGreaterThan(9_900);

    const contender = runWorker(['add', root, '1']);
    holder.child.kill('SIGCONT');
    holder.tell('go');
    expect(await holder.line(1)).toBe('done');
    await contender;
    expect(await counterIn(workspace)).toBe(2);
    await workspace.close();
  });

  test('what a killed holder held goes over at once, without what it had not committed', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const holder = await holderOf(root, onTestFinished);
    const workspace = await Workspace.open(root);
    const waiting = timed(() => counterIn(workspace));
    await holder.kill();
    const { result, ms } = await waiting;
    expect(result).toBe(0);
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect(await locksIn(root)).toEqual([]);
    await workspace.close();
  });

  test('heirs may die too, one after the other', async ({ expect, onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    for (let i = 1; i <= 3; i++) {
      const heir = await holderOf(root, onTestFinished, 'keep');
      expect(await locksIn(root)).toHaveLength(i);
      await heir.kill();
    }
    const lock = bareLock(root);
    const { result: held, ms } = await timed(() => lock.acquire());
    expect(await locksIn(root)).toHaveLength(4);
    expect(ms).toBeLessThan(AT_ONCE_MS);
    held.release();
    expect(await locksIn(root)).toEqual([]);
    const again = await lock.acquire();
    expect(await locksIn(root)).toEqual(['.lock']);
    expect(again.takenAtMs).toBeGreaterThanOrEqual(held.takenAtMs);
    again.release();
  });

  test('of all who wait for a dying holder, and die with the lock, one holds it at a time', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const holder = await holderOf(root, onTestFinished);
    const heirs = Array.from({ length: HEIRS }, () => new LocalWorker(['die', root]));
    await holder.kill();
    for (const heir of heirs) {
      const { signal, stderr } = await heir.ended;
      expect(signal, stderr).toBe('SIGKILL');
    }
    expect(await locksIn(root)).toHaveLength(HEIRS + 1);
    const held = await bareLock(root).acquire();
    held.release();
    expect(await locksIn(root)).toEqual([]);
  });

  test('of heirs that race for dead holders again and again, one holds it at a time', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const holder = await holderOf(root, onTestFinished);
    const deadHolder = await readFile(join(root, '.lock'), 'utf8');
    await holder.kill();
    await Promise.all(
      Array.from({ length: CROWD + 1 }, () =>
        runWorker(['inherit', root, String(HOLDS), deadHolder]),
      ),
    );
    // The last link was planted for nobody to inherit.
    const held = await bareLock(root).acquire();
    held.release();
    expect(await locksIn(root)).toEqual([]);
  });

  test('a lock that is not ours to read is waited for, not taken', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const foreign = [
      'plain text',
      '{}',
      JSON.stringify({ host: 'elsewhere', pid: 1, started: 's' }),
    ];
    await Promise.all(
      foreign.map(async (target, i) => {
        const folder = join(root, String(i));
        await mkdir(folder);
        await writeFile(join(folder, '.lock'), target);
        const acquired = bareLock(folder).acquire();
        await expect(acquired).rejects.toThrow(
          /\.lock is no lock of this program, and names no process; delete the file and run again$/,
        );
        expect(await readFile(join(folder, '.lock'), 'utf8')).toBe(target);
      }),
    );
  });

  test('links left by holders that were killed while they released are swept up', async ({
    expect,
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const holder = await holderOf(root, onTestFinished);
    const dead = await readFile(join(root, '.lock'), 'utf8');
    await holder.kill();
    await plantLink(join(root, `.lock.after-${crypto.randomUUID()}`), dead);
    const held = await bareLock(root).acquire();
    expect(await locksIn(root)).toHaveLength(2);
    held.release();
    expect(await locksIn(root)).toEqual([]);
  });

  test('within one process, too, one holds it at a time', async ({ expect, onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspaces = await Promise.all(Array.from({ length: 4 }, () => Workspace.open(root)));
    const addOne = (workspace: Workspace) =>
      workspace.transact((transaction) => {
        const file = join(root, 'counter');
        const before = Number(transaction.read(file)?.bytes.toString() ?? 0);
        transaction.write(file, String(before + 1));
      });
    const turns = workspaces.flatMap((workspace) => Array.from({ length: 10 }, () => workspace));
    await Promise.all(turns.map(addOne));
    expect(await readFile(join(root, 'counter'), 'utf8')).toBe('40');
    await Promise.all(workspaces.map((workspace) => workspace.close()));
  });
});
