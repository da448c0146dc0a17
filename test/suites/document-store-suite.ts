import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import type {
  CommitResult,
  DocumentPath,
  DocumentStore,
  FieldPath,
  Precondition,
  StoredDocument,
  Write,
} from '../../src/documents/document-store.js';

export interface OpenDocumentStore {
  readonly store: DocumentStore;
  close(): Promise<void>;
}

/** What every backend of the port promises; run it once for each. */
export function describeDocumentStore(
  name: string,
  makeStore: () => Promise<OpenDocumentStore>,
): void {
  describe(`DocumentStore, ${name}`, () => {
    let open: OpenDocumentStore;
    let store: DocumentStore;
    /** Of this test alone: a backend may be shared. */
    let collection: string;

    beforeEach(async () => {
      open = await makeStore();
      store = open.store;
      collection = `suite_${randomUUID().slice(0, 13)}`;
    });
    afterEach(() => open.close());

    const at = (id: string): DocumentPath => `${collection}/${id}`;
    const put = (id: string, data: JsonObject, when?: Precondition): Write => ({
      kind: 'put',
      path: at(id),
      data,
      ...(when && { when }),
    });
    const patch = (
      id: string,
      fields: readonly (readonly [FieldPath, unknown])[],
      when?: Precondition,
    ): Write => ({ kind: 'patch', path: at(id), fields, ...(when && { when }) });

    async function commit(...writes: Write[]): Promise<ReadonlyMap<DocumentPath, string>> {
      const result = await store.commit(writes);
      if (result.status !== 'committed') throw new Error(`the commit was ${result.status}`);
      return result.versions;
    }
    async function refused(...writes: Write[]): Promise<void> {
      expect(await store.commit(writes)).toEqual({ status: 'refused' } satisfies CommitResult);
    }
    async function find(id: string): Promise<StoredDocument | undefined> {
      return (await store.read([at(id)])).get(at(id));
    }
    async function get(id: string): Promise<StoredDocument> {
      const document = await find(id);
      if (!document) throw new Error(`${at(id)} is absent`);
      return document;
    }

    describe('reading', () => {
      test('a document comes back as it was put', async () => {
        const data = {
          text: 'Ünïcödé “quotes” \u{1F4C8}\n',
          integer: 42,
          fraction: 0.25,
          yes: true,
          nothing: null,
          list: [1, 'two', { three: [3] }, {}],
          map: { inner: { empty: {} } },
          'a.b': 1,
          'c:d`e`/f': 2,
        };
        await commit(put('a', data));
        expect((await get('a')).data).toEqual(data);
      });

      test('an absent document is undefined, also next to one that is there', async () => {
        await commit(put('there', { n: 1 }));
        const reading = await store.read([at('absent'), at('there'), at('there')]);
        expect(reading.get(at('absent'))).toBeUndefined();
        expect(reading.get(at('there'))?.data).toEqual({ n: 1 });
      });

      test('of a collection nobody wrote to, everything is absent', async () => {
        const reading = await store.read([at('a'), at('b')]);
        expect([reading.get(at('a')), reading.get(at('b'))]).toEqual([undefined, undefined]);
        expect(await store.list(collection, { limit: 10 })).toEqual({ documents: [] });
      });

      test('what a reader does to its copy stays with the reader', async () => {
        await commit(put('a', { map: { n: 1 } }));
        ((await get('a')).data.map as JsonObject).n = 2;
        expect((await get('a')).data).toEqual({ map: { n: 1 } });
      });

      test('documents read while they are written never go back', async () => {
        const ids = Array.from({ length: 12 }, (_, i) => `d${i}`);
        const round = (n: number) => ids.map((id) => put(id, { n }));
        await commit(...round(0));
        let writing = true;
        const writer = (async () => {
          for (let n = 1; n <= 15; n++) await commit(...round(n));
          writing = false;
        })();
        let before = ids.map(() => 0);
        do {
          const reading = await store.read(ids.map(at));
          const now = ids.map((id) => Number(reading.get(at(id))?.data.n));
          for (const [index, n] of now.entries()) {
            expect(n).toBeGreaterThanOrEqual(before[index] as number);
          }
          before = now;
        } while (writing);
        await writer;
        const reading = await store.read(ids.map(at));
        expect(ids.map((id) => reading.get(at(id))?.data.n)).toEqual(ids.map(() => 15));
      });
    });

    describe('the clock', () => {
      test('a read is never earlier than the writes it sees', async () => {
        for (let n = 0; n < 20; n++) {
          await commit(put('a', { n }), put('b', { n }));
          const reading = await store.read([at('a'), at('b')]);
          for (const id of ['a', 'b']) {
            const document = reading.get(at(id));
            expect(document?.data).toEqual({ n });
            expect(document?.updateTimeMs).toBeLessThanOrEqual(reading.readTimeMs);
          }
        }
      });

      test('times move forward and a write moves its document alone', async () => {
        await commit(put('a', { n: 1 }), put('b', { n: 1 }));
        const before = await store.read([at('a'), at('b')]);
        await commit(put('a', { n: 2 }));
        const after = await store.read([at('a'), at('b')]);
        expect(after.readTimeMs).toBeGreaterThanOrEqual(before.readTimeMs);
        expect(after.get(at('a'))?.updateTimeMs).toBeGreaterThanOrEqual(
          before.get(at('a'))?.updateTimeMs ?? Number.POSITIVE_INFINITY,
        );
        expect(after.get(at('b'))).toEqual(before.get(at('b')));
      });

      test('what was left alone gets older by the time between two reads', async () => {
        await commit(put('a', { n: 1 }));
        const first = await store.read([at('a')]);
        let later = first;
        while (later.readTimeMs - first.readTimeMs < 30) later = await store.read([at('a')]);
        expect(later.get(at('a'))?.updateTimeMs).toBe(first.get(at('a'))?.updateTimeMs);
      });
    });

    describe('versions', () => {
      test('a commit answers the versions that are read afterwards', async () => {
        await commit(put('b', { n: 1 }));
        const versions = await commit(
          put('a', { n: 1 }),
          patch('b', [[['m'], 2]]),
          patch('c', [[['deep', 'er'], 3]]),
        );
        const reading = await store.read([at('a'), at('b'), at('c')]);
        const read = ['a', 'b', 'c'].map((id) => [at(id), reading.get(at(id))?.version]);
        expect([...versions].sort()).toEqual(read);
      });

      test('a version moves when its document changes, and only then', async () => {
        const [first] = (await commit(put('a', { n: 1 }), put('b', { n: 1 }))).values();
        const other = (await get('b')).version;
        const second = (await commit(patch('a', [[['n'], 2]]))).get(at('a'));
        const third = (await commit(put('a', { n: 3 }))).get(at('a'));
        expect(new Set([first, second, third]).size).toBe(3);
        expect((await get('b')).version).toBe(other);
        await store.read([at('a')]);
        expect((await get('a')).version).toBe(third);
      });
    });

    describe('put', () => {
      test('replaces the whole document', async () => {
        await commit(put('a', { old: 1, both: { x: 1 } }));
        await commit(put('a', { both: { y: 2 } }));
        expect((await get('a')).data).toEqual({ both: { y: 2 } });
      });
    });

    describe('patch', () => {
      const foreign = {
        'steps.a': 'a field whose name holds a dot',
        steps: {
          'charts:1H:a.b`c': {
            status: 'READY',
            dependsOn: ['x'],
            inputs: { requests: [{ id: 1 }] },
          },
          charts: { '1H': 'no path leads here' },
          other: { status: 'PENDING', unknown: { deep: [1, { two: null }] } },
        },
        schemaVersion: 7,
      };

      test('changes the named fields and leaves all others untouched', async () => {
        await commit(put('a', foreign));
        await commit(
          patch('a', [
            [['steps', 'charts:1H:a.b`c', 'status'], 'RUNNING'],
            [['steps', 'charts:1H:a.b`c', 'outputs'], { uri: 'gs://b/o', list: [] }],
            [['steps', 'other', 'unknown', 'more'], 'new'],
          ]),
        );
        const expected = structuredClone(foreign) as JsonObject & typeof foreign;
        Object.assign(expected.steps['charts:1H:a.b`c'], {
          status: 'RUNNING',
          outputs: { uri: 'gs://b/o', list: [] },
        });
        Object.assign(expected.steps.other.unknown, { more: 'new' });
        expect((await get('a')).data).toEqual(expected);
      });

      test.each(['a.b', 'a:b', 'a`b', 'a\\b', 'a/b', 'a b', '1', '*', '[0]', 'ü', '`', '.', '..'])(
        'takes a field name as it is: %s',
        async (field) => {
          await commit(put('d', { keep: 1, a: { b: 'other' } }));
          await commit(
            patch('d', [
              [[field], 'top'],
              [['in', field], 'nested'],
            ]),
          );
          const data = { keep: 1, a: { b: 'other' }, [field]: 'top', in: { [field]: 'nested' } };
          expect((await get('d')).data).toEqual(data);
          await commit(
            patch('d', [
              [[field], undefined],
              [['in', field], undefined],
            ]),
          );
          expect((await get('d')).data).toEqual({ keep: 1, a: { b: 'other' }, in: {} });
        },
      );

      test('sets a map as a whole, not its fields one by one', async () => {
        await commit(put('a', { map: { old: 1 }, keep: 1 }));
        await commit(patch('a', [[['map'], { new: 2 }]]));
        expect((await get('a')).data).toEqual({ map: { new: 2 }, keep: 1 });
      });

      test('makes the parents of a field where they are missing or no maps', async () => {
        await commit(put('a', { text: 'no map', keep: 1 }));
        await commit(
          patch('a', [
            [['x', 'y', 'z'], 1],
            [['text', 'now'], 'a map'],
          ]),
        );
        const data = { text: { now: 'a map' }, keep: 1, x: { y: { z: 1 } } };
        expect((await get('a')).data).toEqual(data);
      });

      test('removes a field whose value is undefined, and keeps null', async () => {
        await commit(put('a', { gone: 1, in: { gone: 2, kept: 3 }, nothing: 1 }));
        await commit(
          patch('a', [
            [['gone'], undefined],
            [['in', 'gone'], undefined],
            [['nothing'], null],
          ]),
        );
        const { data } = await get('a');
        expect(data).toStrictEqual({ in: { kept: 3 }, nothing: null });
      });

      test('to remove what is not there changes nothing', async () => {
        await commit(put('a', { keep: 1, text: 'x' }));
        await commit(
          patch('a', [
            [['gone'], undefined],
            [['no', 'such', 'parent'], undefined],
            [['keep'], 2],
          ]),
        );
        expect((await get('a')).data).toStrictEqual({ keep: 2, text: 'x' });
      });

      test('makes the document where it is absent', async () => {
        await commit(patch('a', [[['steps', 'a:b', 'n'], 1]]));
        expect((await get('a')).data).toEqual({ steps: { 'a:b': { n: 1 } } });
      });
    });

    describe('delete', () => {
      const gone = (id: string, when?: Precondition): Write => ({
        kind: 'delete',
        path: at(id),
        ...(when && { when }),
      });

      test('removes the document alone, and again', async () => {
        await commit(put('a', { n: 1 }), put('b', { n: 2 }));
        const versions = await commit(gone('a'), put('b', { n: 3 }));
        expect([...versions.keys()]).toEqual([at('b')]);
        await commit(gone('a'), gone('never'));
        expect(await find('a')).toBeUndefined();
        expect((await store.list(collection, { limit: 9 })).documents).toMatchObject([{ id: 'b' }]);
      });

      test('goes by its precondition, and undoes the others where it fails', async () => {
        await commit(put('a', { n: 1 }));
        const { version } = await get('a');
        await commit(put('a', { n: 2 }));
        await refused(put('b', { n: 1 }), gone('a', { version }));
        await refused(gone('none', { version }));
        expect([(await get('a')).data, await find('b')]).toEqual([{ n: 2 }, undefined]);
        await commit(gone('a', { version: (await get('a')).version }));
        expect(await find('a')).toBeUndefined();
      });

      test('what is put afterwards is a new document', async () => {
        await commit(put('a', { n: 1, old: true }));
        const { version } = await get('a');
        await commit(gone('a'));
        await refused(patch('a', [[['n'], 2]], { version }));
        await commit(patch('a', [[['n'], 2]], { absent: true }));
        expect((await get('a')).data).toEqual({ n: 2 });
      });
    });

    describe('preconditions', () => {
      test('absent: holds for a new document alone', async () => {
        await commit(put('a', { n: 1 }, { absent: true }));
        await refused(put('a', { n: 2 }, { absent: true }));
        await refused(patch('a', [[['n'], 2]], { absent: true }));
        expect((await get('a')).data).toEqual({ n: 1 });
        await commit(patch('b', [[['n'], 1]], { absent: true }));
        expect((await get('b')).data).toEqual({ n: 1 });
      });

      test('version: holds for the document as it was read', async () => {
        await commit(put('a', { n: 1 }));
        const { version } = await get('a');
        await commit(patch('a', [[['n'], 2]], { version }));
        await refused(patch('a', [[['n'], 3]], { version }));
        await refused(put('a', { n: 3 }, { version }));
        expect((await get('a')).data).toEqual({ n: 2 });
      });

      test('version: the one a commit answered is as good as the one read', async () => {
        let version = (await commit(put('a', { n: 0 }, { absent: true }))).get(at('a')) ?? '';
        for (let n = 1; n <= 5; n++) {
          version = (await commit(put('a', { n }, { version }))).get(at('a')) ?? '';
        }
        expect((await get('a')).data).toEqual({ n: 5 });
      });

      test('version: never holds for an absent document', async () => {
        await commit(put('a', { n: 1 }));
        const { version } = await get('a');
        await refused(put('b', { n: 1 }, { version }));
        await refused(patch('b', [[['n'], 1]], { version }));
        expect(await find('b')).toBeUndefined();
      });

      test.each([0, 1, 2, 3])('one that fails, the write no. %i, undoes them all', async (bad) => {
        await commit(put('old', { n: 1 }), put('moved', { n: 1 }));
        const stale = (await get('moved')).version;
        await commit(put('moved', { n: 2 }));
        const { version } = await get('old');
        const before = await store.read(['old', 'moved', 'new'].map(at));
        const writes = [
          patch('old', [[['n'], 9]], { version }),
          put('new', { n: 9 }, { absent: true }),
          put('free', { n: 9 }),
        ];
        writes.splice(bad, 0, put('moved', { n: 9 }, { version: stale }));
        await refused(...writes);
        const after = await store.read(['old', 'moved', 'new'].map(at));
        for (const id of ['old', 'moved']) {
          expect(after.get(at(id))).toEqual(before.get(at(id)));
        }
        expect(after.get(at('new'))).toBeUndefined();
        expect(await find('free')).toBeUndefined();
      });

      test('of 16 claimers at once exactly one wins', async () => {
        await commit(put('run', { status: 'READY' }));
        const { version } = await get('run');
        const results = await Promise.all(
          Array.from({ length: 16 }, (_, i) =>
            store.commit([
              patch('run', [[['by'], i]], { version }),
              put('lease', { by: i }, { absent: true }),
            ]),
          ),
        );
        const winners = results.flatMap(({ status }, i) => (status === 'committed' ? [i] : []));
        expect(winners).toHaveLength(1);
        expect(results.filter(({ status }) => status === 'refused')).toHaveLength(15);
        expect((await get('run')).data).toEqual({ status: 'READY', by: winners[0] });
        expect((await get('lease')).data).toEqual({ by: winners[0] });
      });

      test('counting under versions loses nothing', async () => {
        await commit(put('counter', { n: 0 }));
        const addOne = async () => {
          for (;;) {
            const { data, version } = await get('counter');
            const next = put('counter', { n: Number(data.n) + 1 }, { version });
            if ((await store.commit([next])).status === 'committed') return;
          }
        };
        await Promise.all(Array.from({ length: 8 }, addOne));
        expect((await get('counter')).data).toEqual({ n: 8 });
      });
    });

    describe('list', () => {
      const ids = ['B', 'a', 'a-b', 'a.b', 'a:b', 'a_b', 'b', '1', '10', '2', 'Z~z', 'charts:1H:x'];
      const sorted = [...ids].sort();

      test('gives every document once, by ascending code unit, page by page', async () => {
        await commit(...ids.map((id) => put(id, { id })));
        const found: string[] = [];
        let after: string | undefined;
        let pages = 0;
        do {
          const page = await store.list(collection, { limit: 5, ...(after && { after }) });
          expect(page.documents.length).toBeLessThanOrEqual(5);
          for (const { id, data } of page.documents) expect(data).toEqual({ id });
          found.push(...page.documents.map(({ id }) => id));
          after = page.next;
          pages++;
        } while (after !== undefined);
        expect(found).toEqual(sorted);
        expect(pages).toBe(3);
      });

      test('a full last page is followed by nothing, or by an empty one', async () => {
        await commit(...ids.map((id) => put(id, { id })));
        const whole = await store.list(collection, { limit: ids.length });
        expect(whole.documents.map(({ id }) => id)).toEqual(sorted);
        if (whole.next === undefined) return;
        const rest = await store.list(collection, { limit: 5, after: whole.next });
        expect(rest).toEqual({ documents: [] });
      });

      test('gives only the documents asked for, page by page', async () => {
        const statuses = ['PENDING', 'DONE', 'RUNNING', undefined, 7, 'RUNNING ', 'PENDING'];
        await commit(...statuses.map((status, n) => put(`run-${n}`, { status, n })));
        const where = { field: 'status', among: ['PENDING', 'RUNNING'] };
        const found: string[] = [];
        let after: string | undefined;
        do {
          const page = await store.list(collection, { limit: 2, where, ...(after && { after }) });
          expect(page.documents.length).toBeLessThanOrEqual(2);
          for (const { id, ...document } of page.documents) expect(document).toEqual(await get(id));
          found.push(...page.documents.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined);
        expect(found).toEqual(['run-0', 'run-2', 'run-6']);
      });

      test('gives those whose fields are all equal, between two ids, page by page', async () => {
        const all = Array.from({ length: 12 }, (_, n) => ({
          id: `${String(n).padStart(2, '0')}_${n % 2 ? 'odd' : 'even'}`,
          data: { parity: n % 2 ? 'odd' : 'even', third: n % 3 ? 'no' : 'yes', n, 'a.b': 'c' },
        }));
        await commit(...all.map(({ id, data }) => put(id, data)));
        await commit(put('03_other', { parity: 'odd', third: 7, 'a.b': 'c' }));
        const found: string[] = [];
        let after = '00';
        for (;;) {
          const page = await store.list(collection, {
            limit: 1,
            after,
            before: '09_odd',
            equal: { parity: 'odd', third: 'yes', 'a.b': 'c' },
            mayBe: (id) => id.includes('_od') || id.includes('_other'),
          });
          found.push(...page.documents.map(({ id }) => id));
          if (page.next === undefined) break;
          after = page.next;
        }
        expect(found).toEqual(['03_odd']);
        const both = {
          limit: 20,
          where: { field: 'third', among: ['yes', 'no'] },
          equal: { parity: 'even' },
        };
        const { documents } = await store.list(collection, { ...both, before: '06' });
        expect(documents.map(({ data }) => data.n)).toEqual([0, 2, 4]);
        expect((await store.list(collection, { ...both, equal: { none: '' } })).documents).toEqual(
          [],
        );
      });

      test('gives what a read gives', async () => {
        await commit(put('a', { n: 1 }));
        const { documents } = await store.list(collection, { limit: 1 });
        expect(documents).toEqual([{ id: 'a', ...(await get('a')) }]);
      });

      test('a subcollection is a list of its own, with or without a document above it', async () => {
        const lease = (run: string): Write => ({
          kind: 'put',
          path: `${at(run)}/step_leases/charts:1H:x`,
          data: { run },
        });
        await commit(put('run', { n: 1 }), lease('run'), lease('orphan'));
        const ids = async (path: string) =>
          (await store.list(path, { limit: 10 })).documents.map(({ id }) => id);
        expect(await ids(collection)).toEqual(['run']);
        expect(await ids(`${at('run')}/step_leases`)).toEqual(['charts:1H:x']);
        expect(await ids(`${at('orphan')}/step_leases`)).toEqual(['charts:1H:x']);
        expect(await find('orphan')).toBeUndefined();
      });
    });
  });
}
