import type { ManifestItem } from '../contracts/documents.js';
import { kilobytes } from '../kilobytes.js';
import { breakable, time } from './formats.js';
import { Html, html } from './html.js';
import type { Picture } from './pictures.js';
import { type Place, placed } from './places.js';

/** A chart with all that its label says. */
export interface Exhibit {
  readonly item: ManifestItem;
  readonly picture: Picture;
  readonly place: Place;
}

/** What a reader sees where a picture should be. */
const WHY_NOT: Readonly<Record<Exclude<Picture['kind'], 'shown'>, string>> = {
  absent: 'The PNG is missing: no such object in the bucket.',
  altered: 'The PNG was changed: its SHA-256 is not the one in the manifest.',
  'not-a-png': 'The object is not a whole PNG.',
  elsewhere: 'The PNG lies in another bucket, which this page does not follow.',
};

/** The reason in one sentence; `undefined`: the picture is shown. */
export function whyUnshown({ kind }: Picture): string | undefined {
  return kind === 'shown' ? undefined : WHY_NOT[kind];
}

/** Every chart that came, in order; `chart-1` is the id of the first. */
export function charts(
  exhibits: readonly Exhibit[],
  { symbol, timeframe }: { readonly symbol: string; readonly timeframe: string },
  folder: string | undefined,
): Html {
  const figures = exhibits.map((exhibit, index) =>
    figure(exhibit, { number: index + 1, about: `${symbol} ${timeframe}`, folder }),
  );
  return html`
<section aria-labelledby="charts">
<h2 id="charts">Charts</h2>
${exhibits.length === 0 ? html`<p>No chart came.</p>` : html`<div class="charts">${figures}</div>`}
</section>`;
}

interface Frame {
  readonly number: number;
  /** What all charts of the page have in common. */
  readonly about: string;
  readonly folder: string | undefined;
}

const SOURCES: Readonly<Record<NonNullable<ManifestItem['meta']>['source'], string>> = {
  'chart-img': 'Chart-IMG',
  fixture: 'recorded sample',
  cache: 'the cache: drawn before, for the same request',
};

function figure({ item, picture, place }: Exhibit, { number, about, folder }: Frame): Html {
  const { chartTemplateId, kind, label, generatedAt, meta } = item;
  const shown = picture.kind === 'shown' ? picture : undefined;
  const size = shown ?? meta;
  const facts: [string, Html | string | undefined][] = [
    ['Shows', meta && `${meta.chartImgSymbol}, ${meta.interval}`],
    ['Size', size && `${size.width} × ${size.height} px, ${kilobytes(size.bytes)}`],
    ['Drawn', time(generatedAt)],
    ['Source', meta && SOURCES[meta.source]],
    ['SHA-256', size && html`<code>${size.sha256.slice(0, 12)}</code>`],
    ['File', placed(place, `the PNG of ${chartTemplateId}`, folder)],
  ];
  return html`
<figure id="chart-${number}">
${image(picture, `${about}: ${kind}`)}
<figcaption>
<h3><bdi>${kind}</bdi></h3>
${label !== undefined ? html`<p>${label}</p>` : undefined}
<p><code>${breakable(chartTemplateId)}</code></p>
<dl class="facts">${facts.map(([name, value]) =>
    value === undefined ? undefined : html`<dt>${name}</dt><dd>${value}</dd>`,
  )}</dl>
</figcaption>
</figure>`;
}

function image(picture: Picture, alt: string): Html {
  if (picture.kind !== 'shown') {
    return html`<div class="hole"><p><strong>No picture</strong> ${WHY_NOT[picture.kind]}</p></div>`;
  }
  const { width, height, base64 } = picture;
  return html`<img src="data:image/png;base64,${Html.trusted(base64)}" width="${width}" height="${height}" alt="${alt}">`;
}
