import { join } from 'node:path';

/** What comes with the package beside its code. */
export const bundled = {
  templates: inPackage('fixtures/chart-templates'),
  fixtures: inPackage('fixtures/chart-api/chart-img/advanced-chart-v2'),
  program: inPackage('bin/worker-chart-export.js'),
  packageJson: inPackage('package.json'),
};

/** From `src/config` and from every folder of `dist` alike, the package is two folders up. */
function inPackage(path: string): string {
  return join(import.meta.dirname, '../..', path);
}
