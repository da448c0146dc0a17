import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../support/packed.js';
import { type Check, verdict } from './check.js';

const MOST_WITHOUT_PICTURES = 1_000_000;
const MOST = 3_000_000;

/** Without the pictures is the same tarball packed again, its PNGs left out. */
export const size: Check = {
  name: 'size',
  find: async ({ packed, folder }) => {
    const without = join(folder, 'without-pictures');
    await mkdir(without);
    await run('tar', ['-xzf', packed.tarball, '-C', without]);
    const repacked = join(folder, 'without-pictures.tgz');
    await run('tar', ['-czf', repacked, '--exclude=*.png', '-C', without, 'package']);
    const { size: bytes } = await stat(repacked);

    const problems: string[] = [];
    const limit = (what: string, measured: number, most: number) => {
      if (measured >= most) problems.push(`${what}: ${measured} bytes, limit ${most}`);
    };
    limit('the .tgz without pictures', bytes, MOST_WITHOUT_PICTURES);
    limit('the .tgz', packed.size, MOST);
    const detail = `.tgz ${packed.size} bytes (${packed.unpackedSize} unpacked); without pictures ${bytes}`;
    return verdict(problems, detail);
  },
};
