import { pathToFileURL } from 'node:url';
import type { ArtifactStore } from '../artifacts/artifact-store.js';
import { httpsUrl } from '../artifacts/object-names.js';
import { breakable } from './formats.js';
import { type Html, html } from './html.js';
import { nameIn } from './pictures.js';

/** Where an object is: its name for programs, and a link for people where there can be one. */
export interface Place {
  readonly gsUri: string;
  readonly href?: string;
}

/** A local bucket has no address on the web: there the link is that of the file. */
export function placeOf(
  gsUri: string,
  artifacts: Pick<ArtifactStore, 'bucket' | 'localPath'>,
): Place {
  const name = nameIn(artifacts.bucket, gsUri);
  if (name === undefined) return { gsUri };
  const path = artifacts.localPath(name);
  if (path !== undefined) return { gsUri, href: pathToFileURL(path).href };
  // A browser would go up at `..`, encoded or not, and end in another bucket.
  const climbs = name.split('/').some((segment) => segment === '.' || segment === '..');
  return climbs ? { gsUri } : { gsUri, href: httpsUrl(gsUri) };
}

/** `gs://…/` where all of the objects lie; `undefined`: in several folders, or there are none. */
export function commonFolder(gsUris: readonly string[]): string | undefined {
  const folders = new Set(gsUris.map((uri) => uri.slice(0, uri.lastIndexOf('/') + 1)));
  const [folder] = folders;
  return folders.size === 1 ? folder : undefined;
}

/**
 * The name and the link behind it. Of a name in `folder`, which the page has told once, the eye sees
 * the last part alone; the whole is there for who selects and copies it.
 */
export function placed({ gsUri, href }: Place, what: string, folder = ''): Html {
  const isInside = folder !== '' && gsUri.startsWith(folder);
  const name = isInside
    ? html`<span class="known">${folder}</span>${breakable(gsUri.slice(folder.length))}`
    : breakable(gsUri);
  const link =
    href === undefined ? undefined : html` <a href="${href}" aria-label="Open ${what}">Open</a>`;
  return html`<code class="uri">${name}</code>${link}`;
}
