export interface MultipartUpload {
  /** The first part, parsed. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly mediaType: string;
  readonly media: Buffer;
}

/** The two parts of a `multipart/related` upload, or what is wrong with them. */
export function parseMultipart(contentType: string, body: Buffer): MultipartUpload | string {
  const [, boundary] = /^multipart\/related; boundary="?([^";]+)"?$/.exec(contentType) ?? [];
  if (boundary === undefined) return `not multipart/related with a boundary: ${contentType}`;
  const open = `--${boundary}\r\n`;
  const between = `\r\n--${boundary}\r\n`;
  const close = Buffer.from(`\r\n--${boundary}--`);
  const split = body.indexOf(between);
  const end = body.length - close.length;
  if (!body.subarray(0, open.length).equals(Buffer.from(open)) || split < 0) {
    return 'the two parts are not there';
  }
  if (!body.subarray(Math.max(end, 0)).equals(close)) return 'the closing boundary is missing';

  const first = parsePart(body.subarray(open.length, split));
  const second = parsePart(body.subarray(split + between.length, end));
  if (!first?.type.startsWith('application/json')) return 'the first part is not JSON';
  if (!second) return 'the second part has no Content-Type';
  try {
    const resource = JSON.parse(first.content.toString('utf8'));
    return { resource, mediaType: second.type, media: second.content };
  } catch {
    return 'the first part is not JSON';
  }
}

function parsePart(part: Buffer): { type: string; content: Buffer } | undefined {
  const end = part.indexOf('\r\n\r\n');
  const [, type] = /^content-type: *(.+)$/im.exec(part.subarray(0, end).toString('latin1')) ?? [];
  return end < 0 || type === undefined
    ? undefined
    : { type: type.trim(), content: part.subarray(end + 4) };
}
