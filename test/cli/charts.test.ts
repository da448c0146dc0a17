import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { NewSnapshot, Snapshot } from '../../src/library/snapshots/snapshot.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { aSnapshot } from '../support/library-samples.js';
import { gcpScene, type LookScene, localScene } from '../support/look-scene.js';

const SUITES = [
  { name: 'local', open: localScene, skip: false },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
];

/** Objects of a scene are text; a picture is whatever stands under its name. */
const pictureOf = ({ id }: Snapshot) => `picture of ${id}`;

async function keep(
  scene: LookScene,
  { days = 60, ...given }: Partial<NewSnapshot> & { days?: number } = {},
): Promise<Snapshot> {
  const { symbol = 'DAX', timeframe = '4h', generatedAt = '' } = given;
  const stamp = `${generatedAt.replaceAll(/[^0-9]/g, '')}-${symbol}`;
  const name = `library/${symbol}/${timeframe}/${stamp}.png`;
  const snapshot = aSnapshot({ uri: `gs://${scene.bucket}/${name}`, ...given }, days);
  const { id, ...data } = snapshot;
  await scene.put(`chart_snapshots/${id}`, data);
  const object = snapshot.uri.slice(`gs://${scene.bucket}/`.length);
  if (snapshot.uri.startsWith(`gs://${scene.bucket}/`)) {
    await scene.putObject(object, pictureOf(snapshot));
  }
  return snapshot;
}

for (const { name, open, skip } of SUITES) {
  describe.skipIf(skip)(`charts on ${name}`, () => {
    const place = (scene: LookScene) => (name === 'local' ? [] : ['--charts-bucket', scene.bucket]);
    const listed = async (scene: LookScene, ...argv: string[]) => {
      const { exitCode, stdout } = await scene.run('charts', 'list', '--json', ...argv);
      const { snapshots, next } = JSON.parse(stdout);
      expect(exitCode).toBe(0);
      return { ids: snapshots.map(({ id }: Snapshot) => id), next };
    };

    test('list: newest first, by every filter, page by page; nothing is written', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      expect(await scene.run('charts', 'list')).toMatchObject({
        exitCode: 0,
        stdout: '0 charts\n',
      });
      const at = (day: number) => `2026-02-0${day}T12:00:00.000Z`;
      const first = await keep(scene, { generatedAt: at(1) });
      const other = await keep(scene, {
        generatedAt: at(2),
        symbol: 'BTCUSDT',
        timeframe: '4H',
        chartTemplateId: 'ctpl_a_4h',
      });
      const tricky = await keep(scene, {
        generatedAt: at(3),
        symbol: 'DAX_4h_ctpl',
        interval: '1D',
      });
      const last = await keep(scene, { generatedAt: at(4), interval: '1h', timeframe: '1h' });
      await scene.put('chart_snapshots/7999999999999_DAX_4h_ctpl_a_00000000', { junk: true });
      const before = await scene.snapshot();
      const all = [last, tricky, other, first].map(({ id }) => id);
      expect(await listed(scene)).toEqual({ ids: all, next: null });
      expect(await listed(scene, '--symbol', '^GDAXI')).toEqual({
        ids: [last.id, first.id],
        next: null,
      });
      expect((await listed(scene, '--timeframe', '4h')).ids).toEqual([other.id, first.id]);
      expect((await listed(scene, '--template', 'ctpl_a', '--symbol', 'DAX')).ids).toHaveLength(2);
      expect((await listed(scene, '--since', at(2))).ids).toEqual(all.slice(0, 3));
      expect((await listed(scene, '--since', '2026-02-05')).ids).toEqual([]);
      const page = await listed(scene, '--limit', '3');
      expect(page).toEqual({ ids: all.slice(0, 3), next: other.id });
      expect(await listed(scene, '--limit', '3', '--cursor', page.next)).toEqual({
        ids: all.slice(3),
        next: null,
      });
      const { stdout } = await scene.run('charts', 'list', '--limit', '1');
      expect(stdout).toMatch(
        /^2026-02-04 12:00:00 UTC {2}DAX +1h +ctpl_a +manual +1 kB {2}\d{13}_DAX_/m,
      );
      expect(stdout).toMatch(new RegExp(`\\n\\n1 chart; more: --cursor ${last.id}\\n$`));
      expect(await scene.snapshot()).toEqual(before);
    });

    test('latest and show: the facts, and the picture where it is asked for', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const latest = ['charts', 'latest', '--symbol', '^GDAXI', '--timeframe', '4H'];
      const none = await scene.run(...latest);
      expect(none).toMatchObject({ exitCode: 1, stdout: 'no chart of DAX 4H is stored\n' });
      const old = await keep(scene, { generatedAt: '2026-02-01T12:00:00.000Z' });
      const snapshot = await keep(scene, {
        generatedAt: '2026-02-02T12:00:00.000Z',
        generatedBy: 'dashboard',
        metadata: { note: 'gap\u001b[2J' },
      });
      const gone = { ...aSnapshot({ generatedAt: '2026-02-03T12:00:00.000Z' }), state: 'expired' };
      const { id, ...data } = gone;
      await scene.put(`chart_snapshots/${id}`, data);
      const { stdout, exitCode } = await scene.run(...latest, '--out', 'deep/dax.png', '--json');
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        snapshot: { ...snapshot, localPath: name === 'local' ? expect.any(String) : null },
        out: join(scene.cwd, 'deep/dax.png'),
      });
      expect(await readFile(join(scene.cwd, 'deep/dax.png'), 'utf8')).toBe(pictureOf(snapshot));
      const words = await scene.run('charts', 'show', snapshot.id);
      expect(words.exitCode).toBe(0);
      expect(words.stdout).toMatch(/^for +manual, by dashboard$/m);
      expect(words.stdout).toMatch(name === 'local' ? /library\/DAX\/4h/ : /https:\/\/storage/);
      expect(words.stdout).not.toContain('\u001b');
      const past = await scene.run('charts', 'show', gone.id, '--out', 'gone.png');
      expect(past.exitCode).toBe(1);
      expect(past.stdout).toMatch(/^picture +deleted; it expired at /m);
      expect(past.stdout).toMatch(/^the picture is gone: gs/m);
      expect((await scene.run('charts', 'show', old.id, '--json')).exitCode).toBe(0);
      expect((await scene.run('charts', 'show', 'nobody')).exitCode).toBe(2);
    });

    test('rm removes picture and document, but for what a manifest names', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const one = await keep(scene, { generatedAt: '2026-02-01T12:00:00.000Z' });
      const uri = `gs://${scene.bucket}/charts/run/step/a.png`;
      const named = await keep(scene, { uri, generatedAt: '2026-02-02T12:00:00.000Z' });
      await scene.putObject(
        'charts/run/step/manifest.json',
        JSON.stringify({ items: [{ png_gcs_uri: uri }] }),
      );
      const elsewhere = await keep(scene, { uri: 'gs://elsewhere/library/a.png' });
      const run = (...argv: string[]) => scene.run('charts', 'rm', ...argv, ...place(scene));
      const both = await run(one.id, named.id, one.id);
      expect(both.exitCode).toBe(1);
      expect(both.stdout).toBe(
        `removed  ${one.id}\nkept     ${named.id}  a manifest still names its picture; --force removes it all the same\n`,
      );
      expect((await listed(scene)).ids).toEqual([named.id, elsewhere.id]);
      expect(await run(one.id)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringMatching(/^absent/),
      });
      expect(await run(named.id, '--force')).toMatchObject({ exitCode: 0 });
      const shown = await scene.run('charts', 'show', named.id, '--json');
      expect(shown.exitCode).toBe(2);
      const there = await run(elsewhere.id, '--json');
      expect([there.exitCode, JSON.parse(there.stdout).error.message]).toEqual([
        2,
        expect.stringMatching(/lies in gs:\/\/elsewhere: name that bucket/),
      ]);
    });

    test('prune deletes what expired and nothing else, and again finds nothing to do', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const fresh = new Date(Date.now() - 1_000).toISOString();
      const live = await keep(scene, { generatedAt: fresh });
      const old = '2020-01-01T00:00:00.000Z';
      const dead = await keep(scene, { generatedAt: old, bytes: 2_500 });
      const long = await keep(scene, { generatedAt: old, days: 36_500, symbol: 'LONG' });
      const lost = aSnapshot({
        generatedAt: old,
        symbol: 'LOST',
        uri: `gs://${scene.bucket}/library/gone.png`,
      });
      const { id, ...data } = lost;
      await scene.put(`chart_snapshots/${id}`, data);
      const uri = `gs://${scene.bucket}/charts/run/step/a.png`;
      const named = await keep(scene, { uri, generatedAt: old });
      await scene.putObject('charts/run/step/manifest.json', JSON.stringify([uri]));
      await keep(scene, { uri: 'gs://elsewhere/a.png', generatedAt: old });
      await scene.put('chart_snapshots/1', { state: 'stored', theirs: true });
      const prune = async (...argv: string[]) => {
        const { exitCode, stdout } = await scene.run('charts', 'prune', ...argv, ...place(scene));
        expect(exitCode).toBe(0);
        return stdout;
      };
      const report = async (...argv: string[]) => JSON.parse(await prune('--json', ...argv));
      const before = await scene.snapshot();
      const counts = { expired: 2, bytes: 2_600, kept: 1, elsewhere: 1, invalid: 1 };
      expect(await report('--dry-run', '--purge')).toEqual({ ...counts, purged: 2, dryRun: true });
      expect(await scene.snapshot()).toEqual(before);
      expect(await prune()).toBe(
        [
          'deleted 2 expired pictures, 3 kB',
          'kept 1 expired picture that a manifest still names; --force deletes them too',
          'left 1 expired picture in other buckets: name these with --charts-bucket',
          'passed over 1 document that cannot be read',
          '',
        ].join('\n'),
      );
      const stateOf = async ({ id }: Snapshot) => {
        const { exitCode, stdout } = await scene.run('charts', 'show', id, '--out', 'x', '--json');
        return exitCode === 2 ? 'none' : `${JSON.parse(stdout).snapshot.state} ${exitCode}`;
      };
      const states = async () => [
        await stateOf(live),
        await stateOf(long),
        await stateOf(named),
        await stateOf(dead),
        await stateOf(lost),
      ];
      expect(await states()).toEqual([
        'stored 0',
        'stored 0',
        'stored 0',
        'expired 1',
        'expired 1',
      ]);
      const again = { ...counts, expired: 0, bytes: 0, purged: 0, dryRun: false };
      expect(await report()).toEqual(again);
      expect(await report('--purge')).toEqual({ ...again, purged: 2 });
      expect(await states()).toEqual(['stored 0', 'stored 0', 'stored 0', 'none', 'none']);
      expect(await report('--force', '--purge')).toEqual({
        ...again,
        expired: 1,
        bytes: 100,
        kept: 0,
        purged: 1,
      });
      expect(await states()).toEqual(['stored 0', 'stored 0', 'none', 'none', 'none']);
    });
  });
}

describe('what cannot be meant', () => {
  const cases: [string[], RegExp][] = [
    [['list', '--timeframe', '4 hours'], /--timeframe: .* did you mean 4h/],
    [['list', '--template', 'a/b'], /--template: "a\/b" is not a chart template id/],
    [['list', '--since', 'yesterday'], /--since: "yesterday" is no time/],
    [['list', '--since', '2026-13-01'], /is no time/],
    [['list', '--limit', '0'], /--limit: "0" is not a whole number from 1 to 1000/],
    [['list', '--cursor', '../x'], /--cursor: .* is none that a page before named/],
    [['list', '--symbol', 'A/B'], /there is no symbol "A\/B"/],
    [['latest'], /--symbol is required; --timeframe is required/],
    [['show'], /name a chart by its id/],
    [['show', '../../etc/passwd'], /there is no chart/],
    [['rm'], /name charts by their ids/],
  ];
  test.for(cases)('charts %j', async ([argv, words], { onTestFinished }) => {
    const scene = await localScene(onTestFinished);
    const { exitCode, stdout } = await scene.run('charts', ...argv, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error.message).toMatch(words);
    expect(await scene.snapshot()).toEqual({});
  });

  test('where nothing is, nothing is made', async ({ onTestFinished }) => {
    const scene = await localScene(onTestFinished);
    expect((await scene.run('charts', 'prune')).stdout).toBe('deleted 0 expired pictures, 0 kB\n');
    expect((await scene.run('charts', 'rm', 'x')).exitCode).toBe(1);
    expect(await scene.snapshot()).toEqual({});
  });
});
