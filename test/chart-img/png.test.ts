import { describe, expect, test } from 'vitest';
import { wholePngSize } from '../../src/chart-img/png.js';
import {
  PNG_END,
  PNG_SIGNATURE,
  pngChunk,
  pngHeader,
  pngImage,
  pngOf,
  smallPng,
} from '../support/small-png.js';

const HEADER = pngHeader(3, 2);
const IMAGE = pngImage(3, 2);
const TEXT = pngChunk('tEXt', Buffer.from('a\0b'));
const [FIRST_HALF, SECOND_HALF] = [IMAGE.subarray(8, 12), IMAGE.subarray(12, -4)].map((data) =>
  pngChunk('IDAT', data),
);

describe('a whole PNG', () => {
  test.each([
    ['of three chunks', smallPng(), { width: 3, height: 2 }],
    ['of another size', smallPng(800, 600), { width: 800, height: 600 }],
    ['with other chunks', pngOf(HEADER, TEXT, IMAGE, TEXT, PNG_END), { width: 3, height: 2 }],
    [
      'whose image is in two chunks',
      pngOf(HEADER, FIRST_HALF as Buffer, SECOND_HALF as Buffer, PNG_END),
      { width: 3, height: 2 },
    ],
  ])('%s tells its size', (_what, bytes, size) => {
    expect(wholePngSize(bytes)).toEqual(size);
  });

  test('may be a part of a larger buffer', () => {
    const bytes = Buffer.concat([Buffer.from('before'), smallPng()]);
    expect(wholePngSize(bytes.subarray(6))).toEqual({ width: 3, height: 2 });
  });
});

describe('a PNG is refused', () => {
  test('with any byte changed to any other', () => {
    const whole = smallPng();
    const accepted = [];
    for (let at = 0; at < whole.length; at++) {
      for (let change = 1; change < 256; change++) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        if (wholePngSize(bytes)) accepted.push([at, change]);
      }
    }
    expect(accepted).toEqual([]);
  });

  test('cut off anywhere', () => {
    const whole = pngOf(HEADER, TEXT, IMAGE, PNG_END);
    const lengths = Array.from({ length: whole.length }, (_, length) => length);
    expect(lengths.filter((length) => wholePngSize(whole.subarray(0, length)))).toEqual([]);
    expect(wholePngSize(whole)).toBeDefined();
  });

  test.each([
    ['one byte', Buffer.alloc(1)],
    ['a line end', Buffer.from('\n')],
    ['a chunk', TEXT],
    ['its own end again', PNG_END],
    ['another PNG', smallPng()],
  ])('with %s after its end', (_what, more) => {
    expect(wholePngSize(Buffer.concat([smallPng(), more]))).toBeUndefined();
  });

  test.each([
    ['a chunk before its header', pngOf(TEXT, HEADER, IMAGE, PNG_END)],
    ['its header missing', pngOf(IMAGE, PNG_END)],
    ['its header twice', pngOf(HEADER, HEADER, IMAGE, PNG_END)],
    ['its image missing', pngOf(HEADER, PNG_END)],
    ['its end missing', pngOf(HEADER, IMAGE)],
    ['its end before its image', pngOf(HEADER, PNG_END, IMAGE)],
    ['a short header', pngOf(pngChunk('IHDR', Buffer.alloc(12, 1)), IMAGE, PNG_END)],
    ['a long header', pngOf(pngChunk('IHDR', Buffer.alloc(14, 1)), IMAGE, PNG_END)],
    ['no width', pngOf(pngHeader(0, 2), IMAGE, PNG_END)],
    ['no height', pngOf(pngHeader(3, 0), IMAGE, PNG_END)],
    ['its signature alone', PNG_SIGNATURE],
    ['nothing at all', Buffer.alloc(0)],
    ['words instead', Buffer.from('<html>Bad Gateway</html>')],
    ['the start of a JPEG', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), smallPng()])],
  ])('with %s', (_what, bytes) => {
    expect(wholePngSize(bytes)).toBeUndefined();
  });
});
