/** What package.json says under `engines`, in words. */
export const SUITABLE_NODE = 'Node.js 20.16, 22.3 or newer';

/**
 * Whether this version of Node (`22.3.0`) has what is used here: of `node:zlib` the crc32, since
 * 20.15 and 22.2, of `process` getBuiltinModule, since 20.16 and 22.3. npm says so too, but installs.
 */
export function isSuitableNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const leastMinor = LEAST_MINOR[major];
  return leastMinor === undefined ? major > NEWEST_LISTED : minor >= leastMinor;
}

const LEAST_MINOR: Readonly<Record<number, number>> = { 20: 16, 22: 3 };
const NEWEST_LISTED = 22;
