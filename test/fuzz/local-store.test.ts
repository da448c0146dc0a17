import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { ConfigError, StoreUnavailable } from '../../src/failures.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { temporaryFolder } from '../support/local-processes.js';
import { anyJson, fuzz } from './fuzz.js';

const RUN = 'flow_runs/20251221-120000_BTCUSDT_fuzz';
const PNG = 'charts/run/step/a.png';
const FILES = [
  'firestore/flow_runs/20251221-120000_BTCUSDT_fuzz.json',
  'firestore/flow_runs/other.json',
  'gcs/bucket/charts/run/step/a.png',
  'gcs/bucket/charts/run/step/.a.png.meta.json',
  'gcs/bucket/charts/run/step/%zz',
  '.journal',
  '.journal.json',
  '.staged/1.2.3',
  '.gitignore',
];

/** Of somebody who wants a file moved that is none of the workspace's. */
const OUTWARD = [
  [{ remove: '../outside' }],
  [{ from: '../outside', to: 'inside' }],
  [{ from: '.gitignore', to: '../leaked' }],
  [{ remove: 'a' }, { remove: 'b/../../outside' }],
  [{ remove: '' }],
  [{ from: 7, to: {} }],
  [[]],
];

/** What a crash, a sync client, an editor or somebody hostile leaves in a workspace. */
const journals = fc.record({
  file: fc.constant('.journal.json'),
  content: fc.constantFrom(...OUTWARD).map((steps) => JSON.stringify(steps)),
});

const intrusions = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: journals },
    {
      weight: 4,
      arbitrary: fc.record({
        file: fc.constantFrom(...FILES),
        content: fc.oneof(
          anyJson().map((value) => JSON.stringify(value) ?? ''),
          fc.string({ unit: 'binary', maxLength: 60 }),
          fc.constantFrom('', '{', '{"a": 1', '[]', 'null'),
          fc.constant('folder'),
          fc.constant('link'),
        ),
      }),
    },
  ),
  { minLength: 1, maxLength: 4 },
);

test('a workspace with foreign files is worked with, or refused in words', async (context) => {
  const base = await temporaryFolder(context.onTestFinished);
  const outside = join(base, 'outside');
  await writeFile(outside, 'not ours');
  let number = 0;
  await fuzz(context, 1_000, intrusions, async (intruders) => {
    // One that failed leaves its workspace to be looked at, which is no reason for the next to fail.
    await rm(join(base, String(number)), { recursive: true, force: true });
    number += 1;
    const root = join(base, String(number));
    await work(root);
    for (const { file, content } of intruders) await intrude(join(root, file), content, outside);
    const said = await work(root);
    for (const error of said) {
      expect(error instanceof ConfigError || error instanceof StoreUnavailable, String(error)).toBe(
        true,
      );
      expect(error.message).toMatch(/^[^\n]+$/);
    }
    expect(await readFile(outside, 'utf8')).toBe('not ours');
    expect((await readdir(base)).sort()).toEqual([String(number), 'outside']);
  });
});

/** Reads and writes a document and an object; the errors that came. */
async function work(root: string): Promise<Error[]> {
  const errors: Error[] = [];
  const attempt = async (action: () => Promise<unknown>) => {
    await action().catch((error: Error) => errors.push(error));
  };
  await attempt(async () => {
    const workspace = await Workspace.open(root);
    const documents = new LocalDocumentStore(workspace);
    const artifacts = new LocalArtifactStore(workspace, 'bucket');
    await attempt(async () => {
      const reading = await documents.read([RUN]);
      const data = reading.get(RUN)?.data;
      expect(data === undefined || (typeof data === 'object' && !Array.isArray(data))).toBe(true);
    });
    await attempt(() => documents.commit([{ kind: 'put', path: RUN, data: { a: 1 } }]));
    await attempt(() => documents.list('flow_runs', { limit: 10 }));
    await attempt(async () => {
      const there = await artifacts.look(PNG);
      const when = there ? { generation: there.generation } : ('absent' as const);
      const object = { name: PNG, contentType: 'image/png', metadata: { claimId: 'c' }, when };
      expect(await artifacts.put({ ...object, body: Buffer.from('png') })).toMatchObject({
        status: 'stored',
      });
      expect((await artifacts.get(PNG))?.metadata).toEqual({ claimId: 'c' });
    });
    await attempt(() => artifacts.list('charts/run/step/'));
    await workspace.close();
  });
  return errors;
}

async function intrude(file: string, content: string, outside: string): Promise<void> {
  await rm(file, { recursive: true, force: true });
  await mkdir(dirname(file), { recursive: true }).catch(() => undefined);
  if (content === 'folder') await mkdir(file, { recursive: true });
  else if (content === 'link') await symlink(outside, file).catch(() => undefined);
  else await writeFile(file, content).catch(() => undefined);
}
