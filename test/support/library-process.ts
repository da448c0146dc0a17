import type { ChartOrder, Generated, LibraryOptions } from '../../src/library/index.js';
import { bundled } from './bundled.js';
import { LineProcess } from './line-process.js';

export type LibraryWorkerOptions = Omit<LibraryOptions, 'log'>;

/** One order, given several times, so many at once. */
export interface LibraryCall {
  readonly order: ChartOrder;
  readonly times: number;
  readonly atOnce: number;
}

const WORKER = bundled(new URL('./library-worker.ts', import.meta.url));

/** A process that runs `library-worker.ts`: the chart library as a program has it. */
export class LibraryProcess extends LineProcess {
  constructor(options: LibraryWorkerOptions) {
    super(WORKER, options);
  }

  /** Resolves with what came of each order, all of its charts. */
  async generate(order: ChartOrder, times = 1, atOnce = times): Promise<Generated[]> {
    this.tell({ order, times, atOnce } satisfies LibraryCall);
    const lines = await this.until('call_ended');
    return lines.flatMap(({ event, results }) =>
      event === 'generated' ? (results as Generated[]) : [],
    );
  }
}
