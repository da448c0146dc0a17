import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wholePngSize } from '../../src/chart-img/png.js';
import { judge } from '../../src/chart-img/verdict.js';
import { redactorFor } from '../../src/log/redact.js';
import { formsOf } from '../support/key-forms.js';
import { PNG_END, pngChunk, pngHeader, pngImage, pngOf, smallPng } from '../support/small-png.js';
import { anyJson, fuzz } from './fuzz.js';

const KEY = 'not-a-real-key/+0123456789==';
const PNGS = [
  smallPng(),
  smallPng(800, 600),
  pngOf(pngHeader(4, 4), pngChunk('tEXt', Buffer.from('a\0b')), pngImage(4, 4), PNG_END),
];

describe('answers of the provider', () => {
  const said = fc.constantFrom(
    'Limit Exceeded',
    'Too Many Requests',
    'Exceed Max Usage Resolution Limit (800x600)',
    'Invalid Symbol',
    ...formsOf(KEY).map((form) => `your key ${form} is bad`),
  );
  const bodies = fc.oneof(
    fc
      .tuple(fc.constantFrom('message', 'error', 'msg'), said)
      .map(([key, text]) => json({ [key]: text })),
    said.map((text) => json({ errors: [{ msg: text }] })),
    anyJson().map(json),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(`<html>${text}${KEY}`)),
    fc.constantFrom(...PNGS),
  );
  const statuses = fc.oneof(
    fc.integer({ min: 100, max: 599 }),
    fc.constantFrom(200, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504),
  );

  test('come to one verdict, in one short line without a key', async (context) => {
    const redact = redactorFor([KEY]);
    await fuzz(context, 2_000, fc.tuple(statuses, bodies), ([status, body]) => {
      const verdict = judge({ kind: 'answer', status, body }, redact);
      if (verdict.kind === 'chart') {
        expect(status).toBe(200);
        expect(PNGS).toContainEqual(verdict.png);
        return;
      }
      expect(verdict.message.length).toBeGreaterThan(0);
      expect(verdict.message.length).toBeLessThanOrEqual(300);
      expect(verdict.message).not.toMatch(/[\r\n\u2028]/);
      for (const form of formsOf(KEY)) expect(verdict.message).not.toContain(form);
      if ([500, 502, 503, 504].includes(status)) expect(verdict.kind).toBe('try-again');
      if (status === 401) expect(verdict.kind).toBe('key-bad');
      if (status === 429) expect(verdict.kind).toMatch(/^(quota-gone|quota-unsure|too-fast)$/);
    });
  });
});

describe('PNGs', () => {
  const change = fc.oneof(
    fc.record({
      how: fc.constant('flip' as const),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 255 }),
    }),
    fc.record({ how: fc.constant('cut' as const), at: fc.nat(), by: fc.nat(40) }),
    fc.record({ how: fc.constant('insert' as const), at: fc.nat(), by: fc.nat(255) }),
    fc.record({ how: fc.constant('append' as const), at: fc.nat(), by: fc.nat(255) }),
    fc.record({ how: fc.constant('drop-chunk' as const), at: fc.nat(), by: fc.nat() }),
    fc.record({ how: fc.constant('double-chunk' as const), at: fc.nat(), by: fc.nat() }),
    fc.record({ how: fc.constant('resize' as const), at: fc.nat(), by: fc.nat(3) }),
  );

  test('that are accepted are whole by another reading too', async (context) => {
    const spoilt = fc.tuple(fc.constantFrom(...PNGS), fc.array(change, { maxLength: 3 }));
    const seen = new Set<boolean>();
    await fuzz(context, 2_500, spoilt, ([png, changes]) => {
      const bytes = changes.reduce(changed, png);
      const size = wholePngSize(bytes);
      seen.add(size !== undefined);
      expect(size, bytes.toString('hex')).toEqual(oracle(bytes));
    });
    expect([...seen].sort()).toEqual([false, true]);
  });
});

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

interface Change {
  readonly how: string;
  readonly at: number;
  readonly by: number;
}

function changed(bytes: Buffer, { how, at, by }: Change): Buffer {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const chunks = chunksOf(bytes);
  const nth = chunks.length === 0 ? 0 : at % chunks.length;
  const signature = bytes.subarray(0, 8);
  switch (how) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      copy[place] = (copy[place] ?? 0) ^ by;
      return copy;
    }
    case 'cut':
      return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + by)]);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, place), Buffer.from([by]), bytes.subarray(place)]);
    case 'append':
      return Buffer.concat([bytes, Buffer.from([by])]);
    case 'drop-chunk':
      return Buffer.concat([signature, ...chunks.filter((_, index) => index !== nth)]);
    case 'double-chunk':
      return Buffer.concat([
        signature,
        ...chunks.flatMap((chunk, index) => (index === nth ? [chunk, chunk] : [chunk])),
      ]);
    default:
      return Buffer.concat([signature, pngHeader(by, by), ...chunks.slice(1)]);
  }
}

function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** The specification once more, over a list of chunks that add up to the bytes. */
function oracle(bytes: Buffer): { width: number; height: number } | undefined {
  const chunks = chunksOf(bytes);
  const types = chunks.map((chunk) => chunk.toString('latin1', 4, 8));
  const [header] = chunks;
  const isWhole =
    bytes.subarray(0, 8).equals(smallPng().subarray(0, 8)) &&
    8 + chunks.reduce((sum, { length }) => sum + length, 0) === bytes.length &&
    chunks.every(
      (chunk) => crc32(chunk.subarray(4, -4)) === chunk.readUInt32BE(chunk.length - 4),
    ) &&
    types.indexOf('IHDR') === 0 &&
    types.lastIndexOf('IHDR') === 0 &&
    types.includes('IDAT') &&
    types.indexOf('IEND') === types.length - 1;
  if (!isWhole || header?.length !== 25) return undefined;
  const [width, height] = [header.readUInt32BE(8), header.readUInt32BE(12)];
  return width > 0 && height > 0 ? { width, height } : undefined;
}
