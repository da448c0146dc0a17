import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ArtifactStore, NewObject } from '../../src/artifacts/artifact-store.js';

export interface OpenArtifactStore {
  readonly store: ArtifactStore;
  close(): Promise<void>;
}

/** What every backend of the port promises; run it once for each. */
export function describeArtifactStore(
  name: string,
  makeStore: () => Promise<OpenArtifactStore>,
): void {
  describe(`ArtifactStore, ${name}`, () => {
    let open: OpenArtifactStore;
    let store: ArtifactStore;
    /** Of this test alone: a bucket may be shared. */
    let folder: string;

    beforeEach(async () => {
      open = await makeStore();
      store = open.store;
      folder = `charts/suite-${randomUUID().slice(0, 13)}/`;
    });
    afterEach(() => open.close());

    const object = (
      fileName: string,
      content: string | Uint8Array,
      when: NewObject['when'] = 'absent',
      metadata: NewObject['metadata'] = {},
    ): NewObject => ({
      name: `${folder}${fileName}`,
      body: Buffer.from(content),
      contentType: 'application/octet-stream',
      cacheControl: 'no-store',
      metadata,
      when,
    });
    async function put(...args: Parameters<typeof object>): Promise<string> {
      const result = await store.put(object(...args));
      if (result.status !== 'stored') throw new Error(`${args[0]} was refused`);
      return result.generation;
    }
    async function text(fileName: string): Promise<string | undefined> {
      const found = await store.get(`${folder}${fileName}`);
      return found && Buffer.from(found.body).toString();
    }
    const refused = { status: 'refused' };

    test('the bucket answers, and has a name without a scheme', async () => {
      await store.probe();
      expect(store.bucket).toMatch(/^[a-z0-9][a-z0-9._-]+$/);
    });

    test('an object comes back as it was put', async () => {
      const body = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7 + (i >> 8)) % 256);
      const metadata = { claimId: 'c-1', chartTemplateId: 'ctpl_x', sha256: 'ab'.repeat(32) };
      const generation = await put('chart.png', body, 'absent', metadata);
      const info = { name: `${folder}chart.png`, generation, size: 70_000, metadata };
      expect(await store.look(info.name)).toMatchObject(info);
      const got = await store.get(info.name);
      expect(got).toMatchObject(info);
      expect(Buffer.compare(got?.body ?? Buffer.alloc(0), body)).toBe(0);
      const listed = await store.list(folder);
      expect(listed).toMatchObject([info]);
      // A folder's pictures together are more than a process should hold.
      expect(listed[0]).not.toHaveProperty('body');
    });

    test('an object may be empty, and its metadata too', async () => {
      await put('empty', '');
      const { size, metadata } = (await store.look(`${folder}empty`)) ?? {};
      expect({ size, metadata }).toStrictEqual({ size: 0, metadata: {} });
      expect(await text('empty')).toBe('');
    });

    test('what is absent is undefined, an empty folder an empty list', async () => {
      expect(await store.look(`${folder}none`)).toBeUndefined();
      expect(await store.get(`${folder}none`)).toBeUndefined();
      expect(await store.list(folder)).toEqual([]);
      expect(await store.delete(`${folder}none`, '1')).toBe(false);
    });

    test.each([
      'charts:1H:ctpl_x/20251221-120000_BTCUSDT_1h_ctpl_x.png',
      'a/manifest.2025-12-21T12:00:00.000Z.json',
      "a/odd ~!&'()*+,;=@%41 ü.png",
      'a/.hidden',
      'a/b.meta.json',
    ])('a name stays what it is: %s', async (fileName) => {
      await put(fileName, fileName, 'absent', { n: '1' });
      expect(await text(fileName)).toBe(fileName);
      const name = `${folder}${fileName}`;
      const listed = await store.list(name.slice(0, name.lastIndexOf('/') + 1));
      expect(listed).toMatchObject([{ name, metadata: { n: '1' } }]);
    });

    describe('put', () => {
      test('absent: only where there is none', async () => {
        const generation = await put('a', 'first', 'absent', { by: 'first' });
        expect(await store.put(object('a', 'second', 'absent', { by: 'second' }))).toEqual(refused);
        expect(await text('a')).toBe('first');
        const after = await store.look(`${folder}a`);
        expect(after).toMatchObject({ generation, metadata: { by: 'first' } });
      });

      test('absent: refused also for the very same bytes', async () => {
        await put('a', 'same', 'absent', { by: 'first' });
        expect(await store.put(object('a', 'same', 'absent', { by: 'second' }))).toEqual(refused);
        expect(await store.look(`${folder}a`)).toMatchObject({ metadata: { by: 'first' } });
      });

      test('generation: overwrites the object as it was seen', async () => {
        const first = await put('a', 'first', 'absent', { by: 'first', only: 'first' });
        const second = await put('a', 'second, longer', { generation: first }, { by: 'second' });
        expect(second).not.toBe(first);
        expect(await text('a')).toBe('second, longer');
        const { metadata, generation } = (await store.look(`${folder}a`)) ?? {};
        expect({ metadata, generation }).toEqual({
          metadata: { by: 'second' },
          generation: second,
        });
      });

      test('generation: refused once another one was written', async () => {
        const first = await put('a', 'first');
        const second = await put('a', 'second', { generation: first });
        expect(await store.put(object('a', 'third', { generation: first }))).toEqual(refused);
        expect(await text('a')).toBe('second');
        expect((await store.look(`${folder}a`))?.generation).toBe(second);
      });

      test('generation: refused where there is none', async () => {
        const generation = await put('a', 'first');
        expect(await store.put(object('b', 'first', { generation }))).toEqual(refused);
        expect(await store.look(`${folder}b`)).toBeUndefined();
      });

      test('of several at once for one name exactly one is stored, whole', async () => {
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, i) =>
            store.put(object('a', `body ${i} `.repeat(1_000 + i), 'absent', { by: String(i) })),
          ),
        );
        const winners = results.flatMap(({ status }, i) => (status === 'stored' ? [i] : []));
        expect(winners).toHaveLength(1);
        const [i = -1] = winners;
        expect(await text('a')).toBe(`body ${i} `.repeat(1_000 + i));
        expect(await store.look(`${folder}a`)).toMatchObject({ metadata: { by: String(i) } });
      });
    });

    describe('list', () => {
      test('gives the objects directly in the folder, by ascending name', async () => {
        const names = ['b', 'B', 'a', 'a:b', 'a-b', 'a.b', '1', '10', '2'];
        for (const name of names) await put(name, name);
        await put('sub/inner', 'x');
        await put('c/inner', 'x');
        const listed = await store.list(folder);
        expect(listed.map(({ name }) => name.slice(folder.length))).toEqual(names.sort());
        expect((await store.list(`${folder}sub/`)).map(({ name }) => name)).toEqual([
          `${folder}sub/inner`,
        ]);
      });

      test('a folder is not the one whose name it begins', async () => {
        await put('step/a', 'x');
        await put('step2/b', 'x');
        const listed = await store.list(`${folder}step/`);
        expect(listed.map(({ name }) => name)).toEqual([`${folder}step/a`]);
      });
    });

    describe('delete', () => {
      test('removes the object as it was seen, and its metadata with it', async () => {
        const generation = await put('a', 'first', 'absent', { by: 'first' });
        expect(await store.delete(`${folder}a`, generation)).toBe(true);
        expect(await store.look(`${folder}a`)).toBeUndefined();
        expect(await store.list(folder)).toEqual([]);
        expect(await store.delete(`${folder}a`, generation)).toBe(false);
        await put('a', 'again');
        expect((await store.look(`${folder}a`))?.metadata).toStrictEqual({});
      });

      test('leaves an object of another generation', async () => {
        const first = await put('a', 'first');
        const second = await put('a', 'second', { generation: first });
        expect(await store.delete(`${folder}a`, first)).toBe(false);
        expect(await text('a')).toBe('second');
        expect(await store.delete(`${folder}a`, second)).toBe(true);
      });
    });
  });
}
