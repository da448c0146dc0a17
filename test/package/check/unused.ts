import { type Check, verdict } from './check.js';
import { runNode } from './process.js';

/** What is unused, and what in knip.json no longer matters; knip ends with 1 for either. */
export const unused: Check = {
  name: 'knip',
  find: async () => {
    const knip = 'node_modules/knip/bin/knip.js';
    await runNode([knip, '--no-progress', '--treat-config-hints-as-errors']);
    return verdict([], 'no unused file, export or dependency');
  },
};
