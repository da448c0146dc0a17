import { describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/failures.js';
import { loadPictures, nameIn } from '../../src/report/pictures.js';
import { ReportScene, sampleScene } from '../support/report-samples.js';
import { smallPng } from '../support/small-png.js';

const load = ({ manifest, bucket }: ReportScene) => loadPictures(manifest.items, bucket);

test('a picture that is there is shown with what was measured', async () => {
  const png = smallPng(7, 5);
  const [picture] = await load(new ReportScene().came('a', png));
  const base64 = png.toString('base64');
  expect(picture).toMatchObject({ kind: 'shown', base64, width: 7, height: 5, bytes: png.length });
});

test('pictures keep the order of their items, and each is read once', async () => {
  const scene = new ReportScene();
  for (let width = 1; width <= 20; width++) scene.came(`a${width}`, smallPng(width));
  const get = scene.bucket.get.bind(scene.bucket);
  // The later ones answer first.
  let delayMs = 20;
  scene.bucket.get = async (name) => {
    delayMs -= 1;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return get(name);
  };
  const widths = (await load(scene)).map((picture) => picture.kind === 'shown' && picture.width);
  expect(widths).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(new Set(scene.bucket.gets).size).toBe(20);
  expect(scene.bucket.gets).toHaveLength(20);
});

describe('a picture that cannot be shown', () => {
  test('is missing', async () => {
    const scene = sampleScene(2);
    scene.bucket.objects.delete(scene.objectOf(1));
    expect((await load(scene)).map(({ kind }) => kind)).toEqual(['shown', 'absent']);
  });

  test('has other bytes than its hash says, although they are a PNG', async () => {
    const scene = new ReportScene().came('a', smallPng(3, 2));
    scene.bucket.objects.set(scene.objectOf(0), smallPng(2, 3));
    expect(await load(scene)).toEqual([{ kind: 'altered' }]);
  });

  test('is no PNG, as the manifest knows', async () => {
    expect(await load(new ReportScene().came('a', Buffer.from('<svg>')))).toEqual([
      { kind: 'not-a-png' },
    ]);
  });

  test('is no PNG, and the manifest has no hash of it', async () => {
    const scene = new ReportScene().came('a', Buffer.from('<svg>'));
    for (const item of scene.manifest.items) delete item.meta;
    expect(await load(scene)).toEqual([{ kind: 'not-a-png' }]);
  });

  test.each([
    'gs://charts-bucket-2/a.png',
    'gs://charts/bucket/a.png',
    'gs://charts-bucket/\ud800.png',
  ])('lies elsewhere, and nobody asks for it: %j', async (uri) => {
    const scene = new ReportScene().came('a', smallPng(), { png_gcs_uri: uri });
    expect(await load(scene)).toEqual([{ kind: 'elsewhere' }]);
    expect(scene.bucket.gets).toEqual([]);
  });
});

test('a store that cannot be used is not a missing picture', async () => {
  const scene = sampleScene(3);
  scene.bucket.get = () => Promise.reject(new StoreUnavailable('closed port'));
  await expect(load(scene)).rejects.toThrow(StoreUnavailable);
});

test('a name is what follows the bucket', () => {
  expect(nameIn('b', 'gs://b/x/y.png')).toBe('x/y.png');
  expect(nameIn('b', 'gs://bb/x/y.png')).toBeUndefined();
});
