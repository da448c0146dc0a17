import { CRC32C } from '@google-cloud/storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32cOf } from '../../src/artifacts/gcs/crc32c.js';

test('the check value of the polynomial’s catalogue', () => {
  const checksum = Buffer.from(crc32cOf(Buffer.from('123456789')), 'base64');
  expect(checksum.toString('hex')).toBe('e3069283');
});

test('whatever the bytes, it is what the library would have sent', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const theirs = new CRC32C();
      theirs.update(Buffer.from(bytes));
      expect(crc32cOf(bytes)).toBe(theirs.toString());
    }),
  );
});
