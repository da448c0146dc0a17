import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, reasonOf } from '../../failures.js';

/** Chart templates as `<chartTemplateId>.json` in folders, the first folder that has one winning. */
export class TemplateFolders {
  readonly #folders: readonly string[];

  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** The file's JSON, unchecked; `undefined`: no such file. Rejects with `ConfigError`. */
  async find(chartTemplateId: string): Promise<unknown> {
    const fileName = `${chartTemplateId}.json`;
    for (const folder of this.#folders) {
      // By its exact spelling, also on a disk that folds case.
      if (!listing(folder).includes(fileName)) continue;
      const file = join(folder, fileName);
      try {
        if (!statSync(file).isFile()) throw new Error('it is no file');
        return JSON.parse(readFileSync(file, 'utf8'));
      } catch (error) {
        if (error instanceof SyntaxError) return 'not JSON';
        throw new ConfigError(`chart template ${file} cannot be read: ${reasonOf(error)}`);
      }
    }
    return undefined;
  }
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ConfigError(`templates folder ${folder} cannot be read: ${reasonOf(error)}`);
  }
}
