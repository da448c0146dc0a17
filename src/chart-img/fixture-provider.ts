import type { ChartProvider, Foresight, ProviderAnswer, ProviderCall } from './chart-provider.js';
import type { ChartRequest } from './chart-request.js';
import { FixtureFolders, readFixture } from './fixture-folders.js';
import { pngFixtureName } from './fixture-names.js';

/**
 * Mock mode: answers from files, never from the network. Every answer counts as a call, so that
 * accounts and their exhaustion can be rehearsed.
 */
export class FixtureProvider implements ChartProvider {
  readonly #fixtures: FixtureFolders;

  constructor(folders: readonly string[]) {
    this.#fixtures = new FixtureFolders(folders);
  }

  async foresee(charts: readonly ChartRequest[]): Promise<Map<ChartRequest, Foresight>> {
    const foresights = new Map<ChartRequest, Foresight>();
    for (const chart of charts) {
      const isThere = this.#fixtures.find(chart) !== undefined;
      foresights.set(
        chart,
        isThere
          ? { kind: 'call', source: 'fixture' }
          : { kind: 'missing', fixtureKey: pngFixtureName(chart) },
      );
    }
    return foresights;
  }

  async render({ chart, signal }: ProviderCall): Promise<ProviderAnswer> {
    const fixture = this.#fixtures.find(chart);
    if (!fixture) throw new Error(`no fixture ${pngFixtureName(chart)}, although one was foreseen`);
    return readFixture(fixture, signal);
  }
}
