import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostileTexts, PLAIN_TEXTS, pageOf, type Texts } from '../support/hostile-report.js';
import { readMarkup } from '../support/markup.js';
import { BUCKET, ReportScene } from '../support/report-samples.js';

/** As a page can show it: no control characters, no half surrogate pairs. */
function shown(text: string): string {
  return Buffer.from(text)
    .toString()
    .replaceAll(/(?![\t\n])\p{Cc}/gu, '\uFFFD');
}

test('no text makes an element or an attribute, and none is lost', async () => {
  const plain = readMarkup(await pageOf(PLAIN_TEXTS));
  await fc.assert(
    fc.asyncProperty(hostileTexts, async (texts) => {
      const { skeleton, text, attributes } = readMarkup(await pageOf(texts));
      expect(skeleton).toEqual(plain.skeleton);
      for (const [name, value] of Object.entries(texts) as [keyof Texts, string][]) {
        expect(text, name).toContain(shown(value));
      }
      for (const [, attribute, value] of attributes) {
        if (attribute === 'src') expect(value).toMatch(/^data:image\/png;base64,[\w+/=]+$/);
        if (attribute === 'href') {
          expect(value).toMatch(
            /^(?:#(?:chart|failure)-1|data:,|https:\/\/storage\.googleapis\.com\/charts-bucket\/\S*)$/,
          );
        }
      }
      const [, , alt] = attributes.find(([, attribute]) => attribute === 'alt') ?? [];
      expect(alt).toBe(shown(`${texts.symbol} ${texts.timeframe}: ${texts.kind}`));
    }),
    { numRuns: 300 },
  );
});

test('times that are no times are words', async () => {
  const stamp = '"><script>';
  const scene = new ReportScene({ createdAt: stamp });
  const { text } = await scene.build();
  expect(readMarkup(text).text).toContain(stamp);
});

test('no link climbs out of the bucket, where a browser would follow the dots', async () => {
  const linksOf = async (objectName: string) => {
    const { attributes } = readMarkup(await pageOf({ ...PLAIN_TEXTS, objectName }));
    return attributes
      .filter(([, , value]) => value.startsWith('https:'))
      .map(([, , value]) => value);
  };
  expect(await linksOf('a/../../other/x')).toEqual([]);
  expect(await linksOf('a/./x')).toEqual([]);
  expect(await linksOf('a..b/x?y#z')).toEqual([
    `https://storage.googleapis.com/${BUCKET}/a..b/x%3Fy%23z.png`,
  ]);
});
