import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../failures.js';
import { makeFolder } from '../local-disk/make-folder.js';
import { type Redactor, redactJson } from '../log/redact.js';
import type { ChartProvider, Foresight, ProviderAnswer, ProviderCall } from './chart-provider.js';
import type { ChartRequest } from './chart-request.js';
import { FixtureFolders, readFixture } from './fixture-folders.js';
import { errorFixtureName, pngFixtureName } from './fixture-names.js';
import { judge } from './verdict.js';

/** What neither another try nor another key would change. */
const LASTING_ERRORS = new Set([400, 404, 409, 422]);

/**
 * Record mode: replays what the folder holds, at no cost; else makes the real call and saves its
 * answer. Fails closed: a recording that is there is never passed over for the network.
 */
export class RecordingProvider implements ChartProvider {
  readonly #live: ChartProvider;
  readonly #folder: string;
  readonly #fixtures: FixtureFolders;
  readonly #redact: Redactor;
  readonly #tellUnsaved: (message: string) => void;

  /** `tellUnsaved` hears of recordings that the disk refused: the chart is paid for and goes on. */
  constructor(
    live: ChartProvider,
    folder: string,
    redact: Redactor,
    tellUnsaved: (message: string) => void,
  ) {
    this.#live = live;
    this.#folder = folder;
    this.#fixtures = new FixtureFolders([folder]);
    this.#redact = redact;
    this.#tellUnsaved = tellUnsaved;
  }

  async foresee(charts: readonly ChartRequest[]): Promise<Map<ChartRequest, Foresight>> {
    const foresights = new Map<ChartRequest, Foresight>();
    for (const chart of charts) {
      const fixture = this.#fixtures.find(chart);
      foresights.set(
        chart,
        fixture
          ? { kind: 'replay', source: 'fixture', fixtureKey: fixture.fileName }
          : { kind: 'call', source: 'chart-img' },
      );
    }
    return foresights;
  }

  async render(call: ProviderCall): Promise<ProviderAnswer> {
    const fixture = this.#fixtures.find(call.chart);
    if (fixture) return readFixture(fixture, call.signal);
    const answer = await this.#live.render(call);
    await this.#save(call.chart, answer);
    return answer;
  }

  async #save(chart: ChartRequest, answer: ProviderAnswer): Promise<void> {
    if (answer.kind !== 'answer') return;
    const verdict = judge(answer, this.#redact);
    if (verdict.kind === 'chart') return this.#write(pngFixtureName(chart), verdict.png);
    const { status, body } = answer;
    if (!LASTING_ERRORS.has(status)) return;
    // Parsed first: JSON can write every character of a key as an escape.
    const said = redactJson(parsed(body.toString('utf8')), this.#redact);
    const recorded = JSON.stringify({ status, body: said }, null, 2);
    await this.#write(errorFixtureName(chart, status, verdict.message), `${recorded}\n`);
  }

  /** Whole or not at all. */
  async #write(fileName: string, content: Buffer | string): Promise<void> {
    const part = join(this.#folder, `.${randomUUID()}.part`);
    try {
      makeFolder(this.#folder);
      await writeFile(part, content, { flag: 'wx' });
      await rename(part, join(this.#folder, fileName));
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      this.#tellUnsaved(
        `the recording ${fileName} could not be saved in ${this.#folder}: ${reasonOf(error)}`,
      );
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
