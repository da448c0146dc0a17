import { readFile } from 'node:fs/promises';
import { publint as lint } from 'publint';
import { formatMessage } from 'publint/utils';
import { type Check, verdict } from './check.js';

export const publint: Check = {
  name: 'publint',
  find: async ({ packed }) => {
    const { buffer } = new Uint8Array(await readFile(packed.tarball));
    const { messages, pkg } = await lint({ pkgDir: 'package', pack: { tarball: buffer } });
    const problems = messages.map(
      (message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`,
    );
    return verdict(problems, 'no error, warning or suggestion');
  },
};
