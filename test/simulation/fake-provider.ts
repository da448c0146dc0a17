import { createHash } from 'node:crypto';
import { dayOf } from '../../src/accounts/usage.js';
import type { ProviderAnswer } from '../../src/chart-img/chart-provider.js';
import type { ChartRequest } from '../../src/chart-img/chart-request.js';
import { PNG_END, pngChunk, pngHeader, pngImage, pngOf } from '../support/small-png.js';
import type { Mood } from './weather.js';

const HEADER = pngHeader(3, 2);
const IMAGE = pngImage(3, 2);

/** Chart-IMG, which alone knows how often each key was used on each day. */
export class FakeProvider {
  readonly #limits: ReadonlyMap<string, number>;
  readonly #counts = new Map<string, number>();
  /** What was drawn, by the picture's hash. */
  readonly drawn = new Map<string, ChartRequest>();

  /** `limits`: calls a day by API key. */
  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits;
  }

  /** A request has arrived; what it asks for, or why not. */
  serve(
    chart: ChartRequest,
    apiKey: string,
    nowMs: number,
    { status, retryAfterMs }: Mood,
  ): ProviderAnswer {
    const count = this.count(apiKey, nowMs);
    if (count > (this.#limits.get(apiKey) ?? 0)) return answer(429, 'Limit Exceeded');
    if (status === 200) return this.#draw(chart);
    return answer(status, WORDS[status], retryAfterMs);
  }

  /** One more call of this key, whoever makes it. */
  count(apiKey: string, nowMs: number): number {
    const count = this.callsOf(apiKey, dayOf(nowMs)) + 1;
    this.#counts.set(`${apiKey} ${dayOf(nowMs)}`, count);
    return count;
  }

  callsOf(apiKey: string, day: string): number {
    return this.#counts.get(`${apiKey} ${day}`) ?? 0;
  }

  /** No two pictures are the same: one that stands for another is found out. */
  #draw(chart: ChartRequest): ProviderAnswer {
    const text = Buffer.from(`n\0${this.drawn.size}`, 'latin1');
    const body = pngOf(HEADER, pngChunk('tEXt', text), IMAGE, PNG_END);
    this.drawn.set(createHash('sha256').update(body).digest('hex'), chart);
    return { kind: 'answer', status: 200, body };
  }
}

const WORDS = {
  422: 'Invalid Symbol',
  429: 'Too Many Requests',
  500: 'Something Went Wrong',
};

function answer(status: number, message: string, retryAfterMs?: number): ProviderAnswer {
  const body = Buffer.from(JSON.stringify({ message }));
  return { kind: 'answer', status, body, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
