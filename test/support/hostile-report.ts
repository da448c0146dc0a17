import fc from 'fast-check';
import { BUCKET, ReportScene } from './report-samples.js';
import { smallPng } from './small-png.js';

/** Text that would break out of careless markup, and any other. */
const HOSTILE = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        '" style="position:fixed" x="',
        '</style><style>*{display:none}</style>',
        '</title><base href=//example.test>',
        '<!--',
        ']]>',
        '<svg/onload=alert(1)>',
        'javascript:alert(1)',
        '&lt;b&gt;',
        '&#60;b&#62;',
        '`',
        '\u0000',
        '\r\n',
        '\u2028',
        '\u202e',
        '\ud800',
        '__proto__',
        '_:/_',
      ),
      fc.string({ unit: 'binary' }),
      fc.string(),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''));

/** Every text that a manifest can hold. */
export const hostileTexts = fc.record({
  runId: HOSTILE,
  stepId: HOSTILE,
  symbol: HOSTILE,
  timeframe: HOSTILE,
  kind: HOSTILE,
  label: HOSTILE,
  chartTemplateId: HOSTILE,
  objectName: HOSTILE.map((name) => Buffer.from(name).toString()),
  chartImgSymbol: HOSTILE,
  interval: HOSTILE,
  lostTemplateId: HOSTILE,
  code: HOSTILE,
  message: HOSTILE,
  providerMessage: HOSTILE,
});

export type Texts = Readonly<typeof hostileTexts extends fc.Arbitrary<infer T> ? T : never>;

export const PLAIN_TEXTS: Texts = {
  runId: 'run',
  stepId: 'step',
  symbol: 'symbol',
  timeframe: '1d',
  kind: 'kind',
  label: 'label',
  chartTemplateId: 'came',
  objectName: 'name',
  chartImgSymbol: 'X:Y',
  interval: '1D',
  lostTemplateId: 'lost',
  code: 'CODE',
  message: 'message',
  providerMessage: 'words',
};

/** One chart that came and one that did not, with these texts everywhere. */
export async function pageOf(texts: Texts): Promise<string> {
  const { runId, stepId, symbol, timeframe, kind, label, chartImgSymbol, interval } = texts;
  const scene = new ReportScene({ runId, stepId, symbol, timeframe });
  const png = smallPng();
  scene.came(`a${texts.chartTemplateId}`, png, { kind, label });
  const [item] = scene.manifest.items;
  if (!item?.meta) throw new Error('a chart without meta');
  const name = `${texts.objectName}.png`;
  scene.bucket.objects.set(name, png);
  scene.manifest.items[0] = {
    ...item,
    png_gcs_uri: `gs://${BUCKET}/${name}`,
    meta: { ...item.meta, chartImgSymbol, interval },
  };
  // No id is that of the other, no code one that is known.
  scene.failed(`b${texts.lostTemplateId}`, `x${texts.code}`, texts.message, {
    httpStatus: 422,
    providerMessage: texts.providerMessage,
  });
  return (await scene.build({ manifestUri: 'gs://elsewhere/manifest.json' })).text;
}
