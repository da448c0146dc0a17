import type { Redactor } from '../../log/redact.js';
import { rowsOf } from '../table.js';
import { canAnimate, type TerminalStream } from '../terminal.js';
import type { StatusView } from './look.js';

/**
 * Shows a state again and again: in place on a terminal that can do it and has room; elsewhere each
 * one below the last, and only when something changed.
 */
export class Screen {
  readonly #stream: TerminalStream & { readonly rows?: number };
  readonly #canRedraw: boolean;
  readonly #redact: Redactor;
  readonly #isJson: boolean;
  #lastKey: string | undefined;
  #drawn: readonly string[] = [];

  constructor(stream: TerminalStream, env: NodeJS.ProcessEnv, redact: Redactor, isJson: boolean) {
    this.#stream = stream;
    this.#canRedraw = !isJson && canAnimate(stream, env);
    this.#redact = redact;
    this.#isJson = isJson;
  }

  /** Whether something changed. */
  show(view: StatusView, lines: readonly string[]): boolean {
    const key = keyOf(view);
    const changed = key !== this.#lastKey;
    this.#lastKey = key;
    if (this.#isJson) {
      if (changed) this.#write(`${JSON.stringify(view)}\n`);
    } else if (changed || this.#canRedraw) {
      // Where nothing can be overwritten, what only grew older is not told again.
      const up = this.#wayUp();
      if (changed || up !== undefined) {
        this.#write(this.#frame(lines, up));
        this.#drawn = lines;
      }
    }
    return changed;
  }

  /** What is left to write of the last state, in words. */
  last(view: StatusView, lines: readonly string[]): string {
    const up = this.#wayUp();
    if (this.#lastKey === keyOf(view) && up === undefined) return '';
    const text = this.#frame(lines, up);
    this.#drawn = [];
    return text;
  }

  close(): void {
    this.#drawn = [];
  }

  /** Over what was drawn; `undefined`: it cannot be reached, or there is nothing. */
  #wayUp(): string | undefined {
    const { columns = 0, rows = 0 } = this.#stream;
    if (!this.#canRedraw || columns <= 0 || this.#drawn.length === 0) return undefined;
    const taken = rowsOf(this.#drawn, columns);
    return taken < rows ? `\u001b[${taken}A\r\u001b[J` : undefined;
  }

  #frame(lines: readonly string[], up: string | undefined): string {
    const apart = this.#lastKey !== undefined && this.#drawn.length > 0 ? '\n' : '';
    return `${up ?? apart}${lines.join('\n')}\n`;
  }

  #write(text: string): void {
    this.#stream.write(this.#redact(text));
  }
}

/** What a change is: not that time passes, nor that a holder gives signs of life. */
function keyOf({ at: _, steps, ...run }: StatusView): string {
  const still = steps.map(({ lease, ...step }) => {
    const { lastBeatAt: _, ...holder } = lease ?? {};
    return { ...step, holder };
  });
  return JSON.stringify({ ...run, still });
}
