/** Most names are. */
const PLAIN = /^[\w-][\w.-]*$/;

/**
 * A name that is safe as one path segment: bytes outside `[A-Za-z0-9._-]` are percent-encoded,
 * and so is a dot in front, which keeps `..` in its folder and the store's own hidden files apart.
 */
export function encodeFileName(name: string): string {
  if (PLAIN.test(name)) return name;
  return encodeURIComponent(name)
    .replaceAll(/[!'()*~]/g, percent)
    .replace(/^\./, percent);
}

/** `undefined`: not a name that `encodeFileName` makes. */
export function decodeFileName(fileName: string): string | undefined {
  // A folder of ten thousand is decoded for every page of its listing.
  if (PLAIN.test(fileName)) return fileName;
  try {
    const name = decodeURIComponent(fileName);
    return encodeFileName(name) === fileName ? name : undefined;
  } catch {
    return undefined;
  }
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
