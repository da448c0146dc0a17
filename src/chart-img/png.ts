import { crc32 } from 'node:zlib';

export interface PngSize {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * The size of a PNG that is whole: signature, IHDR first, every chunk's CRC, at least one IDAT,
 * IEND last with nothing after it (PNG specification, third edition, section 5). Anything else is
 * `undefined`: an answer that broke off must not become somebody's chart.
 */
export function wholePngSize(bytes: Buffer): PngSize | undefined {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) return undefined;
  let size: PngSize | undefined;
  let hasImage = false;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) return undefined;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return undefined;
    if ((at === 8) !== (type === 'IHDR')) return undefined;
    if (type === 'IHDR') {
      if (length !== 13) return undefined;
      size = { width: bytes.readUInt32BE(at + 8), height: bytes.readUInt32BE(at + 12) };
      if (size.width === 0 || size.height === 0) return undefined;
    }
    hasImage ||= type === 'IDAT';
    if (type === 'IEND') return hasImage && end === bytes.length ? size : undefined;
    at = end;
  }
  return undefined;
}
