/** Jobs that tests run in processes of their own, to be raced, stopped and killed. */
import { readFileSync, readSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { PutResult } from '../../src/artifacts/artifact-store.js';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { StoreUnavailable } from '../../src/failures.js';
import { thisProcess } from '../../src/local-disk/process-identity.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { bareLock, plantLink } from './bare-lock.js';
import { OBJECT, roundWrites } from './local-rounds.js';

const [job, root = '', ...rest] = process.argv.slice(2);

/** The next line of the test, awaited. */
async function told(): Promise<void> {
  for await (const _ of createInterface(process.stdin)) return;
}

const jobs: Readonly<Record<string, () => Promise<void>>> = {
  /** Says who it is, and lives until it is killed. */
  async identity() {
    console.log(JSON.stringify(thisProcess()));
    await told();
  },

  /** Adds one to a file many times; only the lock keeps two from reading the same number. */
  async add() {
    const workspace = await Workspace.open(root);
    for (let i = 0; i < Number(rest[0]); i++) await addOne(workspace);
    await workspace.close();
  },

  /** Adds one to two documents many times, under their versions. */
  async count() {
    const workspace = await Workspace.open(root);
    const store = new LocalDocumentStore(workspace);
    for (let done = 0; done < Number(rest[0]); ) {
      const reading = await store.read(['counters/a', 'counters/b']);
      const result = await store.commit(
        (['counters/a', 'counters/b'] as const).map((path) => {
          const document = reading.get(path);
          const data = { value: Number(document?.data.value ?? 0) + 1 };
          const when = document ? { version: document.version } : { absent: true as const };
          return { kind: 'put', path, data, when };
        }),
      );
      if (result.status === 'committed') done++;
      // Long enough that the others get their turns in between, and a reader sees them.
      if (rest[1] === 'slowly') await sleep(1);
    }
    await workspace.close();
  },

  /** Holds the lock until it is told to go on, then adds one. */
  async hold() {
    const workspace = await Workspace.open(root);
    await addOne(workspace, () => {
      console.log('held');
      // The whole program stands still, as it would for a slow disk.
      readSync(0, Buffer.alloc(1));
    });
    await workspace.close();
    console.log('done');
  },

  /** Goes on after a refusal, and says what stands in its lock. */
  async refused() {
    const open = () => Workspace.open(root);
    const workspace = await open().catch(open);
    await addOne(workspace).catch(orUnavailable);
    await addOne(workspace, () => console.log(readFileSync(join(root, '.lock'), 'utf8')));
    await workspace.close();
  },

  /** Holds the bare lock, and is killed with it. */
  async keep() {
    await bareLock(root).acquire();
    console.log('held');
    await told();
  },

  /**
   * Many short holds, each marked by a file that must not be there yet, and each followed by a
   * dead holder's link, so that nearly every hold is inherited and all heirs race for it.
   */
  async inherit() {
    const [holds, deadHolder = '{}'] = rest;
    const lock = bareLock(root);
    const marker = join(root, 'held');
    for (let i = 0; i < Number(holds); i++) {
      const held = await lock.acquire();
      await writeFile(marker, '', { flag: 'wx' });
      await turn();
      await unlink(marker);
      held.release();
      const nonce = crypto.randomUUID();
      const dead = JSON.stringify({ ...JSON.parse(deadHolder), nonce });
      await plantLink(join(root, '.lock'), dead).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
  },

  /** One short hold, at whose end it dies with the lock in its hands. */
  async die() {
    const lock = bareLock(root);
    await lock.acquire();
    const marker = join(root, 'held');
    await writeFile(marker, '', { flag: 'wx' });
    await turn();
    await unlink(marker);
    process.kill(process.pid, 'SIGKILL');
  },

  /** Two rounds of one commit of three documents and one put; says how far it came. */
  async rounds() {
    // The next process may know the workspace by another name.
    process.chdir(dirname(root));
    const workspace = await Workspace.open(basename(root)).catch(orUnavailable);
    if (!workspace) return console.log('open StoreUnavailable');
    const documents = new LocalDocumentStore(workspace);
    const artifacts = new LocalArtifactStore(workspace, 'bucket');
    let when: 'absent' | { generation: string } = 'absent';
    for (const round of [1, 2]) {
      const commit = await documents.commit(roundWrites(round)).catch(orUnavailable);
      console.log(`commit${round} ${commit?.status ?? 'StoreUnavailable'}`);
      if (commit?.status !== 'committed') break;
      const put: PutResult | undefined = await artifacts
        .put({
          name: OBJECT,
          body: Buffer.from(`body of round ${round}`),
          contentType: 'text/plain',
          metadata: { round: String(round) },
          when,
        })
        .catch(orUnavailable);
      console.log(`put${round} ${put?.status ?? 'StoreUnavailable'}`);
      if (put?.status !== 'stored') break;
      when = { generation: put.generation };
    }
    await workspace.close();
  },
};

async function addOne(workspace: Workspace, meanwhile?: () => void): Promise<void> {
  const file = join(workspace.root, 'counter');
  await workspace.transact((transaction) => {
    const before = Number(transaction.read(file)?.bytes.toString() ?? 0);
    meanwhile?.();
    transaction.write(file, String(before + 1));
  });
}

function orUnavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailable)) throw error;
}

await jobs[job ?? '']?.();
process.stdin.destroy();
