import { randomBytes } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

export const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Length, type, data, CRC. */
export function pngChunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, crc]);
}

/** Eight bits of grey a pixel. */
export function pngHeader(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = 8;
  return pngChunk('IHDR', data);
}

export function pngImage(width: number, height: number): Buffer {
  return pngChunk('IDAT', deflateSync(Buffer.alloc((width + 1) * height)));
}

export const PNG_END = pngChunk('IEND');

export function pngOf(...chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([PNG_SIGNATURE, ...chunks]);
}

/** A whole one. */
export function smallPng(width = 3, height = 2): Buffer {
  return pngOf(pngHeader(width, height), pngImage(width, height), PNG_END);
}

/** As long as a chart in use, of what cannot be packed; its pixels are nobody's business. */
export function bulkyPng(width: number, height: number, bytes: number): Buffer {
  return pngOf(pngHeader(width, height), pngChunk('IDAT', randomBytes(bytes)), PNG_END);
}
