import type { RequestKind } from './routes.js';

/** What happens to one request. `before` and `after` it is applied. */
export type Fault =
  | {
      readonly act: 'refuse';
      readonly status: number;
      readonly message?: string;
      readonly reason?: string;
      /** Instead of JSON, as the service's front end does it. */
      readonly html?: string;
    }
  | { readonly act: 'close'; readonly when: 'before' | 'after' }
  /** Until the server is closed. */
  | { readonly act: 'hang'; readonly when: 'before' | 'after' }
  | { readonly act: 'delay'; readonly ms: number }
  /** One byte of an upload flips on its way. */
  | { readonly act: 'corrupt' }
  /** Somebody does something, and is waited for, before the request is applied or answered. */
  | { readonly act: 'hook'; readonly when: 'before' | 'after'; readonly hook: () => unknown }
  /** The connection is cut in the middle of the answer's body. */
  | { readonly act: 'cut' }
  /** The answer is the given one, whatever the request was. */
  | { readonly act: 'answer'; readonly status: number; readonly json: unknown };

export interface FaultRule {
  readonly kind: RequestKind | 'any';
  /** The first request that it meets, counted from now: 1 unless said otherwise. */
  readonly nth?: number;
  /** How many from there on: 1 unless said otherwise. */
  readonly times?: number | 'forever';
  readonly fault: Fault;
}

/** Faults by request; the first rule that is due wins. */
export class Faults {
  #rules: { readonly rule: FaultRule; seen: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** For the request that just arrived. */
  next(kind: RequestKind): Fault | undefined {
    const concerned = this.#rules.filter(({ rule }) => rule.kind === kind || rule.kind === 'any');
    for (const entry of concerned) entry.seen++;
    return concerned.find(({ rule, seen }) => isDue(rule, seen))?.rule.fault;
  }
}

function isDue({ nth = 1, times = 1 }: FaultRule, seen: number): boolean {
  return seen >= nth && (times === 'forever' || seen < nth + times);
}
