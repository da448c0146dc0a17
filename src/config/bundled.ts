import { fileURLToPath } from 'node:url';

/** Folders that come with the package. */
export const bundled = {
  templates: inPackage('fixtures/chart-templates'),
  fixtures: inPackage('fixtures/chart-api/chart-img/advanced-chart-v2'),
};

/** From `src/config` and `dist/config` alike, the package is two folders up. */
function inPackage(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
