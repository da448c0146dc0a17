import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../../support/packed.js';
import { type Check, verdict } from './check.js';
import { runNpm } from './process.js';

/** Builds and packs anew, as the real one would: what is published is what was checked. */
export const publishing: Check = {
  name: 'publish',
  find: async ({ packed }) => {
    const { stdout } = await runNpm(['publish', '--dry-run', '--json', '--access=public']);
    const { id, shasum } = publishedOf(stdout);
    const problems: string[] = [];
    if (shasum !== packed.shasum) {
      problems.push(`it would publish ${shasum}, checked was ${packed.shasum}`);
    }
    // A dry run does not mind.
    const manifest = await readFile(join(REPOSITORY, 'package.json'), 'utf8');
    if (JSON.parse(manifest).private) problems.push('package.json says that it is private');
    return verdict(problems, `npm publish --dry-run: ${id}, byte for byte the tarball checked`);
  },
};

interface Published {
  readonly id: string;
  readonly shasum: string;
}

/** What the build says goes to the same stdout, before. */
function publishedOf(stdout: string): Published {
  const said: Published | Record<string, Published> = JSON.parse(
    stdout.slice(stdout.search(/^\{/m)),
  );
  if ('shasum' in said) return said as Published;
  const [published] = Object.values(said);
  if (!published) throw new Error('npm says nothing of what it would publish');
  return published;
}
