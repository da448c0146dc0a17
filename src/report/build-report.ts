import type { ArtifactStore } from '../artifacts/artifact-store.js';
import type { ChartsOutputsManifest } from '../contracts/documents.js';
import { charts, type Exhibit, whyUnshown } from './charts.js';
import { failures } from './failures.js';
import { time } from './formats.js';
import { heading, titleOf } from './heading.js';
import { type Html, html } from './html.js';
import { page } from './page.js';
import { loadPictures } from './pictures.js';
import { commonFolder, placeOf } from './places.js';
import { requests } from './requests.js';

export interface ReportInput {
  /** Has met its schema. */
  readonly manifest: ChartsOutputsManifest;
  /** `gs://…`, where the manifest was read; absent: the page does not say. */
  readonly manifestUri?: string;
  /** The bucket that holds the PNGs; only read. */
  readonly artifacts: Pick<ArtifactStore, 'bucket' | 'get' | 'localPath'>;
  readonly now: Date;
}

export interface Report {
  /** One page of HTML in UTF-8, pictures included. */
  readonly html: Buffer;
  /** The charts whose picture the page has to do without, and why; worth a warning. */
  readonly unshown: readonly { readonly chartTemplateId: string; readonly reason: string }[];
}

/**
 * The page for one manifest. Reads each PNG once and writes nothing. A PNG that is missing or
 * altered leaves a placeholder that says so; rejects with `StoreUnavailable` or `ConfigError` when
 * the store itself cannot be used.
 */
export async function buildReport(input: ReportInput): Promise<Report> {
  const { manifest, manifestUri, artifacts, now } = input;
  const pictures = await loadPictures(manifest.items, artifacts);
  const exhibits = manifest.items.flatMap((item, index): Exhibit[] => {
    const picture = pictures[index];
    return picture ? [{ item, picture, place: placeOf(item.png_gcs_uri, artifacts) }] : [];
  });
  const unshown = exhibits.flatMap(({ item: { chartTemplateId }, picture }) => {
    const reason = whyUnshown(picture);
    return reason === undefined ? [] : [{ chartTemplateId, reason }];
  });
  const manifestPlace = manifestUri === undefined ? undefined : placeOf(manifestUri, artifacts);
  const folder = commonFolder(manifest.items.map((item) => item.png_gcs_uri));
  const body = html`${heading(manifest, { unshown: unshown.length, folder, manifestPlace })}
<main>${failures(manifest.failures)}${charts(exhibits, manifest, folder)}${requests(manifest)}</main>
${smallPrint(now)}`;
  return { html: page(titleOf(manifest), body).toBuffer(), unshown };
}

function smallPrint(now: Date): Html {
  return html`
<footer>
<p>Made by worker-chart-export on ${time(now.toISOString())} from the step’s manifest. The pictures lie in this
page, which loads nothing from the network; each was compared with the manifest’s SHA-256, where it holds one.
Times are UTC, 1 kB is 1000 bytes.</p>
</footer>`;
}
