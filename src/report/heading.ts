import type { ChartsOutputsManifest } from '../contracts/documents.js';
import { counted } from '../counted.js';
import { breakable, time } from './formats.js';
import { type Html, html } from './html.js';
import { type Place, placed } from './places.js';

/** Pure: how the step ends by this manifest, as its settling decides it. */
function verdictOf({ items, minImages }: ChartsOutputsManifest): 'SUCCEEDED' | 'FAILED' {
  return items.length >= minImages ? 'SUCCEEDED' : 'FAILED';
}

/** The title of the window and of a printed file. */
export function titleOf(manifest: ChartsOutputsManifest): string {
  const { symbol, timeframe, stepId, runId } = manifest;
  return `${symbol} ${timeframe} ${verdictOf(manifest)} · ${stepId} · ${runId}`;
}

export interface HeadingFacts {
  /** Pictures that the page has to do without. */
  readonly unshown: number;
  /** `gs://…/` of all charts, where they have one folder. */
  readonly folder: string | undefined;
  readonly manifestPlace: Place | undefined;
}

/** Which step this was and what became of it. */
export function heading(
  manifest: ChartsOutputsManifest,
  { unshown, folder, manifestPlace }: HeadingFacts,
): Html {
  const { symbol, timeframe, runId, stepId, createdAt } = manifest;
  const verdict = verdictOf(manifest);
  const isInFolder = folder !== undefined && manifestPlace?.gsUri.startsWith(folder);
  return html`
<header>
<p class="eyebrow">Chart export</p>
<h1><bdi>${symbol}</bdi> <span><bdi>${timeframe}</bdi></span></h1>
<p class="verdict ${verdict}"><strong>${verdict}</strong> ${numbers(manifest)}</p>
${notices(manifest, unshown).map((notice) => html`<p class="notice">${notice}</p>`)}
<dl class="identity">
<div><dt>Run</dt><dd><code>${breakable(runId)}</code></dd></div>
<div><dt>Step</dt><dd><code>${breakable(stepId)}</code></dd></div>
<div><dt>Finished</dt><dd>${time(createdAt)}</dd></div>
${
  manifestPlace &&
  html`<div${isInFolder ? undefined : html` class="wide"`}><dt>Manifest</dt><dd>${placed(manifestPlace, 'the manifest', folder)}</dd></div>`
}
${folder === undefined ? undefined : html`<div class="wide"><dt>Folder</dt><dd><code class="uri">${breakable(folder)}</code></dd></div>`}
</dl>
</header>`;
}

function numbers({ requested, items, minImages }: ChartsOutputsManifest): string {
  const came = `${items.length} of ${counted(requested.length, 'chart')} came`;
  return `${came}, ${minImages} ${minImages === 1 ? 'was' : 'were'} needed.`;
}

function notices({ items }: ChartsOutputsManifest, unshown: number): string[] {
  const samples = items.filter(({ meta }) => meta?.source === 'fixture').length;
  return [
    ...(samples > 0
      ? [
          samples === items.length
            ? 'Every chart is a recorded sample, not a live one.'
            : `${counted(samples, 'chart')} of ${items.length} ${samples === 1 ? 'is a recorded sample' : 'are recorded samples'}, not live.`,
        ]
      : []),
    ...(unshown > 0
      ? [
          `${counted(unshown, 'picture')} of ${items.length} cannot be shown; the reason stands in ${unshown === 1 ? 'its' : 'their'} place.`,
        ]
      : []),
  ];
}
