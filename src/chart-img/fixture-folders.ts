import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../contracts/documents.js';
import { ConfigError, reasonOf } from '../failures.js';
import { readInput } from '../local-disk/input-file.js';
import type { ProviderAnswer } from './chart-provider.js';
import type { ChartRequest } from './chart-request.js';
import { errorFixtureStatus, pngFixtureName } from './fixture-names.js';

/** A recorded answer, found and not read yet. */
export interface Fixture {
  readonly path: string;
  readonly fileName: string;
  /** `undefined`: a PNG. */
  readonly status: number | undefined;
}

/**
 * Recorded answers in folders, the first folder that knows a chart winning; in a folder a PNG wins
 * over an error, and the first error by name over the others.
 */
export class FixtureFolders {
  readonly #folders: readonly string[];
  #listings: readonly (readonly string[])[] | undefined;

  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** `undefined`: none of the folders knows the chart. Throws `ConfigError`. */
  find(chart: ChartRequest): Fixture | undefined {
    this.#listings ??= this.#folders.map(listing);
    for (const [index, fileNames] of this.#listings.entries()) {
      const found = pick(fileNames, chart);
      const folder = this.#folders[index];
      if (found && folder !== undefined) return { ...found, path: join(folder, found.fileName) };
    }
    return undefined;
  }
}

/** Rejects with `ConfigError` when the file cannot be read. */
export async function readFixture(
  { path, fileName: fixtureKey, status }: Fixture,
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  let body: Buffer;
  try {
    body = await readInput(path, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new ConfigError(`fixture ${path} cannot be read: ${reasonOf(error)}`);
  }
  if (status === undefined) return { kind: 'answer', status: 200, body, fixtureKey };
  return { kind: 'answer', status, body: answerOf(body), fixtureKey };
}

/**
 * By name from a listing, not by trying to open: on a disk that folds case `…__1m__…` would open
 * the fixture of `…__1M__…`.
 */
function listing(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ConfigError(`fixtures folder ${folder} cannot be read: ${reasonOf(error)}`);
  }
}

function pick(
  fileNames: readonly string[],
  chart: ChartRequest,
): Omit<Fixture, 'path'> | undefined {
  const png = pngFixtureName(chart);
  if (fileNames.includes(png)) return { fileName: png, status: undefined };
  for (const fileName of fileNames) {
    const status = errorFixtureStatus(chart, fileName);
    if (status !== undefined) return { fileName, status };
  }
  return undefined;
}

/** The recorded answer of `{status, body}`; a file of another shape is taken as the body itself. */
function answerOf(file: Buffer): Buffer {
  try {
    const recorded: unknown = JSON.parse(file.toString('utf8'));
    return isJsonObject(recorded) && Object.hasOwn(recorded, 'body')
      ? Buffer.from(JSON.stringify(recorded.body))
      : file;
  } catch {
    return file;
  }
}
