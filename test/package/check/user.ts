import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { run } from '../../support/packed.js';
import type { Node } from './node-version.js';
import { messageOf, type Said } from './process.js';

const RECORD_WARNINGS = new URL('record-warnings.mjs', import.meta.url).href;
const BIN = 'node_modules/.bin/worker-chart-export';

/** Somebody who has the package installed in a folder, and but one Node. */
export class User {
  readonly folder: string;
  readonly #node: Node;

  constructor(folder: string, node: Node) {
    this.folder = folder;
    this.#node = node;
  }

  /** Rejects for an exit code that is not 0, and for a warning, seen or not. */
  program(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return this.#run(join(this.folder, BIN), argv, env);
  }

  /** A module of theirs. */
  module(source: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return this.#run(this.#node.path, ['--input-type=module', '--eval', source], env);
  }

  async #run(command: string, argv: readonly string[], env: Readonly<Record<string, string>>) {
    const warnings = join(this.folder, 'warnings');
    await writeFile(warnings, '');
    const said = await run(command, argv, {
      cwd: this.folder,
      env: {
        // The shebang's `env node` finds this one.
        PATH: [dirname(this.#node.path), process.env.PATH].join(delimiter),
        HOME: this.folder,
        NODE_OPTIONS: `--import=${RECORD_WARNINGS}`,
        WARNINGS_FILE: warnings,
        ...env,
      },
    }).catch((error: unknown) => {
      throw new Error(`${argv.join(' ')}: ${messageOf(error)}`);
    });
    const warned = (await readFile(warnings, 'utf8')).trim();
    if (warned !== '') throw new Error(`${argv.join(' ')} warns: ${warned}`);
    return said;
  }
}
