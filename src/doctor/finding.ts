import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';

/** What became of one check. */
export interface Finding {
  readonly name: string;
  /** `warning`: a run would work, but perhaps not as expected. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  /** One line: what is there, what is wrong, or why nobody looked. */
  readonly fact: string;
  /** What to do about it; only of warnings and failures. */
  readonly remedy?: string;
}

export function ok(name: string, fact: string): Finding {
  return { name, state: 'ok', fact };
}

export function skipped(name: string, why: string): Finding {
  return { name, state: 'skipped', fact: why };
}

export function failed(name: string, fact: string, remedy: string): Finding {
  return { name, state: 'failed', fact, remedy };
}

export function warning(name: string, fact: string, remedy: string): Finding {
  return { name, state: 'warning', fact, remedy };
}

/** One check, bounded in time: whatever stops it is its finding. */
export async function examine(
  name: string,
  untilMs: number,
  work: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const finding = failed(name, 'no answer in time', 'check the network, then try again');
    timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()), finding);
  });
  const done = (async () => work())().catch((error: unknown) => failureOf(name, error));
  const found = await Promise.race([done, late]).finally(() => clearTimeout(timer));
  return Array.isArray(found) ? found : [found as Finding];
}

function failureOf(name: string, error: unknown): Finding {
  const words = reasonOf(error).split('\n')[0] ?? '';
  const isKnown = error instanceof ConfigError || error instanceof StoreUnavailable;
  if (!isKnown) return failed(name, `a bug in this worker: ${words}`, 'report it');
  // Our sentences say first what is wrong, then what to do.
  const [fact, remedy] = split(words, '; ') ?? split(words, ': ') ?? [words, 'mend what it names'];
  return failed(name, fact, remedy);
}

function split(words: string, separator: string): [string, string] | undefined {
  const at = words.lastIndexOf(separator);
  return at === -1 ? undefined : [words.slice(0, at), words.slice(at + separator.length)];
}
