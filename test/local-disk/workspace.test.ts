import {
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { ConfigError, StoreUnavailable } from '../../src/failures.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { bareLock } from '../support/bare-lock.js';
import { LocalWorker, temporaryFolder } from '../support/local-processes.js';
import { makePipes } from '../support/pipes.js';

const png = {
  name: 'charts/run/step:1/a.png',
  contentType: 'image/png',
  metadata: { claimId: 'c-1' },
  when: 'absent' as const,
};

describe('opening', () => {
  test('makes the folder and keeps it out of git', async ({ onTestFinished }) => {
    const root = join(await temporaryFolder(onTestFinished), 'new', 'workspace');
    const workspace = await Workspace.open(root);
    expect(await readFile(join(root, '.gitignore'), 'utf8')).toBe('*\n');
    await workspace.close();
    expect(await readdir(root)).toEqual(['.gitignore']);
  });

  test('leaves a .gitignore that is there', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    await writeFile(join(root, '.gitignore'), '# ours\n');
    await (await Workspace.open(root)).close();
    expect(await readFile(join(root, '.gitignore'), 'utf8')).toBe('# ours\n');
  });

  test('says what to do where there can be no folder', async ({ onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished);
    await writeFile(join(folder, 'file'), '');
    for (const root of [join(folder, 'file'), join(folder, 'file', 'below')]) {
      const opened = Workspace.open(root);
      await expect(opened).rejects.toThrow(ConfigError);
      await expect(opened).rejects.toThrow(/cannot be written: .*; name another with --workspace/);
    }
  });

  test('leaves an empty .gitignore to whoever emptied it', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    await writeFile(join(root, '.gitignore'), '');
    await (await Workspace.open(root)).close();
    expect(await readFile(join(root, '.gitignore'), 'utf8')).toBe('');
  });

  test('sweeps up after the dead and leaves the living their files', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const living = await Workspace.open(root);
    const staged = await living.stage('of the living');
    const dying = new LocalWorker(['hold', root]);
    await dying.line();
    expect(await readdir(join(root, '.staged'))).toHaveLength(2);
    await dying.kill();

    const neighbour = await Workspace.open(root);
    expect(await readdir(join(root, '.staged'))).toHaveLength(2);
    await neighbour.close();
    expect(await readdir(join(root, '.staged'))).toHaveLength(1);
    await living.transact((transaction) => transaction.write(join(root, 'a'), staged));
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('of the living');
    await living.close();
    expect((await readdir(root)).sort()).toEqual(['.gitignore', 'a']);
  });
});

describe('a transaction', () => {
  test('that throws changes nothing and frees the lock', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const failed = workspace.transact((transaction) => {
      transaction.write(join(root, 'a'), 'new');
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    const names = await workspace.transact((transaction) => [...transaction.names(root)]);
    expect(names).not.toContain('a');
    await workspace.close();
  });

  test('reads what was before it, writes and removes at its end', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    await writeFile(join(root, 'a'), 'old');
    const before = await workspace.transact((transaction) => {
      transaction.write(join(root, 'deep', 'er', 'b'), 'new');
      transaction.remove(join(root, 'a'));
      transaction.remove(join(root, 'never was'));
      return transaction.read(join(root, 'a'))?.bytes.toString();
    });
    expect(before).toBe('old');
    expect((await readdir(root)).sort()).toEqual(['.gitignore', '.staged', 'deep']);
    expect(await readFile(join(root, 'deep', 'er', 'b'), 'utf8')).toBe('new');
    await workspace.close();
  });

  test('a journal is finished by the next holder, from wherever it finds the folder', async ({
    onTestFinished,
  }) => {
    const folder = await temporaryFolder(onTestFinished);
    const root = join(folder, 'real');
    const first = await Workspace.open(root);
    const { path } = await first.stage('new');
    const from = path.slice(root.length + 1);
    await writeFile(join(root, 'old'), '');
    const journal = [{ from, to: 'a' }, { remove: 'old' }, { remove: 'gone already' }];
    await writeFile(join(root, '.journal.json'), JSON.stringify(journal));
    await symlink(root, join(folder, 'alias'));
    const second = await Workspace.open(join(folder, 'alias'));
    await second.transact(() => undefined);
    expect((await readdir(root)).sort()).toEqual(['.gitignore', '.staged', 'a']);
    await Promise.all([first.close(), second.close()]);
  });

  test('whose staged file is gone is refused, alone and with others', async ({
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    for (const others of [[], ['b']]) {
      const staged = workspace.stage('new');
      await unlink(staged.path);
      const done = workspace.transact((transaction) => {
        for (const other of others) transaction.write(join(root, other), 'new');
        transaction.write(join(root, 'a'), staged);
      });
      await expect(done).rejects.toThrow(StoreUnavailable);
    }
    await expect(stat(join(root, 'a'))).rejects.toThrow('ENOENT');
    await workspace.close();
  });

  test('names what is no file, and reads nothing from it', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const pipe = join(root, 'pipe');
    await makePipes([pipe]);
    const reading = workspace.transact((transaction) => transaction.read(pipe));
    await expect(reading).rejects.toThrow(`${pipe} is no file; delete it or move it away`);
    await workspace.close();
  });

  test('a damaged journal is named', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    await writeFile(join(root, '.journal.json'), '');
    const done = workspace.transact(() => undefined);
    await expect(done).rejects.toThrow(`${join(root, '.journal.json')} is damaged; delete it`);
    await workspace.close();
  });
});

test('its files lie below it, also where it is the root of all', () => {
  expect(Workspace.peek('/').pathTo('a', 'b')).toBe('/a/b');
  expect(Workspace.peek('/tmp/').pathTo('a')).toBe('/tmp/a');
});

describe('peeking', () => {
  test('makes nothing where there is nothing', async ({ onTestFinished }) => {
    const root = join(await temporaryFolder(onTestFinished), 'none');
    const workspace = Workspace.peek(root);
    const documents = new LocalDocumentStore(workspace);
    const artifacts = new LocalArtifactStore(workspace, 'bucket');
    expect((await documents.read(['a/b'])).get('a/b')).toBeUndefined();
    expect(await documents.list('a', { limit: 1 })).toEqual({ documents: [] });
    expect(await artifacts.list('charts/')).toEqual([]);
    await expect(documents.commit([{ kind: 'put', path: 'a/b', data: {} }])).rejects.toThrow(
      'looking only',
    );
    await expect(artifacts.put({ ...png, body: Buffer.from('x') })).rejects.toThrow('looking only');
    await workspace.close();
    await expect(stat(root)).rejects.toThrow('ENOENT');
  });

  test('waits for nobody', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const writer = await Workspace.open(root);
    const written = new LocalDocumentStore(writer);
    await written.commit([{ kind: 'put', path: 'a/b', data: { n: 1 } }]);
    const documents = new LocalDocumentStore(Workspace.peek(root));
    const lock = await bareLock(root).acquire();
    expect((await documents.read(['a/b'])).get('a/b')?.data).toEqual({ n: 1 });
    lock.release();
    await writer.close();
  });
});

describe('documents as files', () => {
  test('lie where the README says, and may be edited by hand', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const store = new LocalDocumentStore(workspace);
    const path = 'flow_runs/run-1/step_leases/charts:1H:x';
    await store.commit([{ kind: 'put', path, data: { n: 1 } }]);
    const file = join(root, 'firestore/flow_runs/run-1/step_leases/charts%3A1H%3Ax.json');
    expect(store.fileOf(path)).toBe(file);
    expect(await readFile(file, 'utf8')).toBe('{\n  "n": 1\n}\n');

    const version = (await store.read([path])).get(path)?.version ?? '';
    await writeFile(file, '{"n": 2, "mine": true}');
    await utimes(file, 1_000, 2_000);
    const edited = (await store.read([path])).get(path);
    expect(edited).toMatchObject({ data: { n: 2, mine: true }, updateTimeMs: 2_000_000 });
    const late = await store.commit([{ kind: 'put', path, data: {}, when: { version } }]);
    expect(late.status).toBe('refused');
    await workspace.close();
  });

  test('one that is no JSON object is named, not overwritten', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const store = new LocalDocumentStore(workspace);
    const file = store.fileOf('a/b');
    await mkdir(dirname(file), { recursive: true });
    for (const content of ['', '{"n": 1', '[]', 'null', '"text"']) {
      await writeFile(file, content);
      const message = `${file} does not hold a JSON object`;
      await expect(store.read(['a/b'])).rejects.toThrow(message);
      const commit = store.commit([{ kind: 'patch', path: 'a/b', fields: [[['n'], 2]] }]);
      await expect(commit).rejects.toThrow(ConfigError);
      expect(await readFile(file, 'utf8')).toBe(content);
    }
    await workspace.close();
  });

  test('two patches of one document in one commit both count', async ({ onTestFinished }) => {
    const workspace = await Workspace.open(await temporaryFolder(onTestFinished));
    const store = new LocalDocumentStore(workspace);
    await store.commit([
      { kind: 'patch', path: 'a/b', fields: [[['x'], 1]] },
      { kind: 'patch', path: 'a/b', fields: [[['y'], 2]] },
    ]);
    expect((await store.read(['a/b'])).get('a/b')?.data).toEqual({ x: 1, y: 2 });
    await workspace.close();
  });

  test('no id leads out of the workspace', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(join(root, 'workspace'));
    const store = new LocalDocumentStore(workspace);
    const artifacts = new LocalArtifactStore(workspace, '..');
    for (const id of ['..', '.', '%2E%2E', '..\\..', '.lock']) {
      await store.commit([{ kind: 'put', path: `${id}/${id}`, data: { id } }]);
      const name = `${id}/${id}/${id}`;
      await artifacts.put({ ...png, name, body: Buffer.from(id) });
      expect((await store.read([`${id}/${id}`])).get(`${id}/${id}`)?.data).toEqual({ id });
      expect(await artifacts.look(name)).toMatchObject({ metadata: png.metadata });
    }
    await workspace.close();
    expect(await readdir(root)).toEqual(['workspace']);
    const inside = (await readdir(workspace.root)).sort();
    expect(inside).toEqual(['.gitignore', 'firestore', 'gcs']);
  });
});

describe('objects as files', () => {
  test('are the bytes themselves, where a person can open them', async ({ onTestFinished }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const store = new LocalArtifactStore(workspace, 'bucket');
    await store.put({ ...png, body: Buffer.from('bytes') });
    const file = join(root, 'gcs/bucket/charts/run/step%3A1/a.png');
    expect(store.localPath(png.name)).toBe(file);
    expect(await readFile(file, 'utf8')).toBe('bytes');
    const generation = (await store.look(png.name))?.generation ?? '';
    await store.delete(png.name, generation);
    expect(await readdir(dirname(file))).toEqual([]);
    await workspace.close();
  });

  test('what lies beside one is believed only of the bytes it was written for', async ({
    onTestFinished,
  }) => {
    const root = await temporaryFolder(onTestFinished);
    const workspace = await Workspace.open(root);
    const store = new LocalArtifactStore(workspace, 'bucket');
    const put = await store.put({ ...png, body: Buffer.from('ours') });
    const file = store.localPath(png.name);
    await writeFile(file, 'not ours');
    const changed = await store.look(png.name);
    expect(changed?.size).toBe(8);
    expect(changed?.metadata).toStrictEqual({});
    expect(put).not.toMatchObject({ generation: changed?.generation });
    const listed = await store.list('charts/run/step:1/');
    expect(listed.map(({ metadata }) => metadata)).toStrictEqual([{}]);

    await writeFile(file, 'ours');
    expect(await store.look(png.name)).toMatchObject({ metadata: png.metadata });
    await writeFile(join(dirname(file), '.a.png.meta.json'), '{"generation":');
    expect((await store.look(png.name))?.metadata).toStrictEqual({});
    await workspace.close();
  });
});
