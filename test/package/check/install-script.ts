import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../../support/packed.js';
import { type Check, verdict } from './check.js';

/** npm builds by itself where there is such a file. */
const NATIVE = 'binding.gyp';

export const installScript: Check = {
  name: 'install-script',
  find: async ({ packed }) => {
    const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
    const problems = Object.keys(scripts)
      .filter((name) => /^(pre|post)?install$/.test(name))
      .map((name) => `package.json has the script ${name}`);
    if (packed.files.includes(NATIVE)) problems.push(`the tarball holds ${NATIVE}`);
    return verdict(problems, 'none of ours; each installation below is one with --ignore-scripts');
  },
};
