import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../contracts/documents.js';
import { ConfigError, reasonOf } from '../failures.js';
import type { ChartProvider, Foresight, ProviderAnswer, ProviderCall } from './chart-provider.js';
import type { ChartRequest } from './chart-request.js';
import { errorFixtureStatus, pngFixtureName } from './fixture-names.js';

interface Fixture {
  readonly path: string;
  readonly fileName: string;
  /** `undefined`: a PNG. */
  readonly status?: number;
}

/**
 * Mock mode: answers from files, never from the network. Every answer counts as a call, so that
 * accounts and their exhaustion can be rehearsed. The first folder that knows a chart wins; in a
 * folder a PNG wins over an error, and the first error by name over the others.
 */
export class FixtureProvider implements ChartProvider {
  readonly #folders: readonly string[];
  #listings: Promise<readonly (readonly string[])[]> | undefined;

  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  async foresee(charts: readonly ChartRequest[]): Promise<Map<ChartRequest, Foresight>> {
    const foresights = new Map<ChartRequest, Foresight>();
    for (const chart of charts) {
      const fixture = await this.#find(chart);
      foresights.set(
        chart,
        fixture
          ? { kind: 'call', source: 'fixture' }
          : { kind: 'missing', fixtureKey: pngFixtureName(chart) },
      );
    }
    return foresights;
  }

  async render({ chart, signal }: ProviderCall): Promise<ProviderAnswer> {
    const fixture = await this.#find(chart);
    if (!fixture) throw new Error(`no fixture ${pngFixtureName(chart)}, although one was foreseen`);
    let body: Buffer;
    try {
      body = await readFile(fixture.path, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new ConfigError(`fixture ${fixture.path} cannot be read: ${reasonOf(error)}`);
    }
    const { fileName: fixtureKey, status } = fixture;
    if (status === undefined) return { kind: 'answer', status: 200, body, fixtureKey };
    return { kind: 'answer', status, body: answerOf(body), fixtureKey };
  }

  async #find(chart: ChartRequest): Promise<Fixture | undefined> {
    this.#listings ??= Promise.all(this.#folders.map(listing));
    for (const [index, fileNames] of (await this.#listings).entries()) {
      const fixture = pick(fileNames, chart);
      const folder = this.#folders[index];
      if (fixture && folder !== undefined) {
        return { ...fixture, path: join(folder, fixture.fileName) };
      }
    }
    return undefined;
  }
}

/**
 * By name from a listing, not by trying to open: on a disk that folds case `…__1m__…` would open
 * the fixture of `…__1M__…`.
 */
async function listing(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
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
  if (fileNames.includes(png)) return { fileName: png };
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
