import type { Ora } from 'ora';
import type { LogEvent } from '../log/logger.js';
import { canAnimate, type TerminalStream } from './terminal.js';

/** How often the seconds that are left are counted anew. */
const TICK_MS = 250;
/** Where nothing moves, shorter waits are not worth a line … */
const LEAST_WAIT_MS = 500;
/** … nor one so soon after the last. */
const LEAST_PAUSE_MS = 5_000;
/** Before the text stand the spinner and a space; the last column stays free, or the line wraps. */
const BESIDE = 3;
/** With less room for its words, a line says them with fewer. */
const ROOMY = 40;

const CHART_ENDS = new Set(['chart_stored', 'chart_failed', 'chart_reused']);

/**
 * How far a step is, and for which limit it waits: one line that moves where the terminal can do
 * that, elsewhere a plain line now and then.
 */
export class LiveLine {
  readonly #stream: TerminalStream;
  readonly #spinner: Ora | undefined;
  readonly #say: (line: string) => void;
  #done = 0;
  #total = 0;
  /** The waits that are not over, each by its end in monotonic milliseconds. */
  #waits: { readonly untilMs: number; readonly limit: string }[] = [];
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #tick: NodeJS.Timeout | undefined;

  private constructor(
    stream: TerminalStream,
    spinner: Ora | undefined,
    say: (line: string) => void,
  ) {
    this.#stream = stream;
    this.#spinner = spinner;
    this.#say = say;
  }

  /** `say` prints a plain line, where nothing can move. */
  static async on(
    stream: TerminalStream,
    look: {
      readonly env: NodeJS.ProcessEnv;
      readonly isColoured: boolean;
      readonly say: (line: string) => void;
    },
  ): Promise<LiveLine> {
    const isAnimated = canAnimate(stream, look.env);
    return new LiveLine(
      stream,
      isAnimated ? await makeSpinner(stream, look.isColoured) : undefined,
      look.say,
    );
  }

  /** Takes note of what has to do with progress. */
  follow({ event, fields }: LogEvent): void {
    if (event === 'core_start') {
      this.#total = Number(fields.total ?? 0);
      this.#spinner?.start(this.#text());
      if (this.#spinner) this.#tick ??= setInterval(() => this.#draw(), TICK_MS).unref();
    } else if (CHART_ENDS.has(event)) {
      this.#done += 1;
      this.#draw();
    } else if (event === 'chart_waiting') {
      const untilMs = performance.now() + Number(fields.waitMs);
      this.#waits.push({ untilMs, limit: String(fields.limit) });
      this.#draw();
      if (!this.#spinner) this.#sayWait(Number(fields.waitMs));
    } else if (event === 'ready_step_selected') {
      this.#done = 0;
    } else if (event === 'step_completed') {
      this.close();
    }
  }

  /** Writes above the line. */
  above(write: () => void): void {
    const moving = this.#spinner?.isSpinning ? this.#spinner : undefined;
    moving?.clear();
    write();
    moving?.render();
  }

  close(): void {
    clearInterval(this.#tick);
    this.#tick = undefined;
    this.#waits = [];
    // One that never turned would still show the cursor, in the output of every command.
    if (this.#spinner?.isSpinning) this.#spinner.stop();
  }

  #draw(): void {
    if (this.#spinner) this.#spinner.text = this.#text();
  }

  #sayWait(waitMs: number): void {
    const nowMs = performance.now();
    if (waitMs < LEAST_WAIT_MS || nowMs - this.#saidAtMs < LEAST_PAUSE_MS) return;
    this.#saidAtMs = nowMs;
    this.#say(this.#words());
  }

  /** As much of the words as one line has room for. */
  #text(): string {
    const room = Math.max(0, (this.#stream.columns ?? 0) - BESIDE);
    const words = [...this.#words(room < ROOMY)];
    return words.length > room
      ? `${words.slice(0, Math.max(0, room - 1)).join('')}…`
      : words.join('');
  }

  #words(isNarrow = false): string {
    const nowMs = performance.now();
    this.#waits = this.#waits.filter(({ untilMs }) => untilMs > nowMs);
    // The one that ends first lets the next chart go.
    const [first] = this.#waits.toSorted((a, b) => a.untilMs - b.untilMs);
    const count = `${this.#done}/${this.#total}`;
    if (!first) return `${count} charts`;
    const seconds = Math.ceil((first.untilMs - nowMs) / 1_000);
    return `${count}${isNarrow ? '' : ' charts,'} waiting ${seconds} s: ${first.limit}`;
  }
}

/** Loaded only where it can turn. */
async function makeSpinner(stream: TerminalStream, isColoured: boolean): Promise<Ora> {
  const { default: ora } = await import('ora');
  // With stdin left alone Ctrl-C reaches us as the signal it is.
  return ora({
    stream: stream as NodeJS.WriteStream,
    discardStdin: false,
    color: isColoured ? 'cyan' : false,
  });
}
