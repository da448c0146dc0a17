import { readFileSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Tree {
  readonly commands: Readonly<Record<string, Tree>>;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Every command and flag of the Google Cloud SDK on the PATH, from what completes them in a shell. */
function readTree(): Tree | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      const root = join(realpathSync(join(folder, 'gcloud')), '../..');
      const text = readFileSync(join(root, 'data/cli/gcloud_completions.py'), 'utf8');
      return JSON.parse(text.slice(text.indexOf('= ') + 2));
    } catch {}
  }
  return undefined;
}

const tree = readTree();

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoGcloud = tree ? '' : 'SKIPPED: no Google Cloud SDK on the PATH';

/** The flags of one command, `undefined` where there is none of that name. */
export function flagsOf(path: string): ReadonlySet<string> | undefined {
  let at = tree;
  for (const word of path.split(' ')) at = at?.commands[word];
  return at && tree && new Set([...Object.keys(at.flags), ...Object.keys(tree.flags)]);
}
