import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import satisfies from 'spdx-satisfies';
import { REPOSITORY } from '../../support/packed.js';
import { type Check, verdict } from './check.js';
import { installTarball } from './install-tarball.js';
import { runNpm } from './process.js';

interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
}

/** Of all that npm installs with the package, and of what is bundled into it. */
export const licences: Check = {
  name: 'licences',
  find: async (place) => {
    const user = join(place.folder, 'licences');
    await mkdir(user);
    await installTarball(place, user);
    const { stdout } = await runNpm(['query', ':root *'], { cwd: user });
    const installed: Licensed[] = JSON.parse(stdout);
    const bundled = bundledIn(
      await readFile(join(REPOSITORY, 'dist/third-party-licenses.txt'), 'utf8'),
    );

    const allowed: string[] = JSON.parse(
      await readFile(join(REPOSITORY, 'permissive-licenses.json'), 'utf8'),
    );
    const problems = [...installed, ...bundled]
      .filter(({ license }) => !isPermissive(license, allowed))
      .map(({ name, version, license }) => `${name} ${version}: ${JSON.stringify(license)}`);
    const detail = `${installed.length} installed, ${bundled.length} bundled, all permissive`;
    return verdict(
      problems,
      detail,
      [listed('installed', installed), listed('bundled', bundled)].join('\n'),
    );
  },
};

/** An older package's list of objects, `SEE LICENSE IN …` and nothing at all are unknown. */
function isPermissive(license: unknown, allowed: string[]): boolean {
  if (typeof license !== 'string') return false;
  try {
    return satisfies(license, allowed);
  } catch {
    return false;
  }
}

function bundledIn(notices: string): Licensed[] {
  return notices.split(/^---$/m).map((notice) => {
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(notice)?.[1] ?? '';
    return { name: field('Name'), version: field('Version'), license: field('License') };
  });
}

function listed(where: string, packages: readonly Licensed[]): string {
  const licences = [...new Set(packages.map(({ license }) => String(license)))].sort();
  const lines = licences.map((licence) => {
    const ours = packages.filter(({ license }) => String(license) === licence);
    const names = new Set(ours.map(({ name, version }) => `${name} ${version}`));
    return `${where}, ${licence} (${ours.length}): ${[...names].sort().join(', ')}`;
  });
  return lines.join('\n');
}
