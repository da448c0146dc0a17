import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../../support/packed.js';
import { type Check, verdict } from './check.js';

/** An entry is the heading of this very version, and something below it. */
export const changelog: Check = {
  name: 'changelog',
  find: async () => {
    const read = (file: string) => readFile(join(REPOSITORY, file), 'utf8');
    const { version } = JSON.parse(await read('package.json'));
    const [, ...entries] = (await read('CHANGELOG.md')).split(/^## /m);
    const entry = entries.find((text) => text.split(/[\s,[\]]+/).find(Boolean) === version);
    const items = entry?.match(/^- /gm)?.length ?? 0;
    const problems = items > 0 ? [] : [`CHANGELOG.md has no entry for ${version}`];
    return verdict(problems, `${version}, ${items} items`);
  },
};
