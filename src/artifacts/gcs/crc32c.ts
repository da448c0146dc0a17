const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/**
 * CRC32C in base64, as Cloud Storage writes it. Not the library's own: that one takes 50 ns a byte,
 * 2 ms a chart in which nothing else happens, and a step's charts arrive ten at a time.
 */
export function crc32cOf(bytes: Uint8Array): string {
  let value = -1;
  for (let at = 0; at < bytes.length; at++) {
    value = (TABLE[(value ^ (bytes[at] as number)) & 0xff] as number) ^ (value >>> 8);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeInt32BE(~value);
  return checksum.toString('base64');
}
