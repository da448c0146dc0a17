const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC32C in base64, as the service writes it; not the client's, so that the two check each other. */
export function crc32cOf(bytes: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE((value ^ 0xffffffff) >>> 0);
  return buffer.toString('base64');
}
