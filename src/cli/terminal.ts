import type { Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** 0: no colours. NO_COLOR and FORCE_COLOR (no-color.org, force-color.org) over what the stream is. */
export function colourLevel(stream: TerminalStream, env: NodeJS.ProcessEnv): 0 | 1 {
  if (env.NO_COLOR) return 0;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced === '0' || forced === 'false' ? 0 : 1;
  return stream.isTTY && env.TERM !== 'dumb' ? 1 : 0;
}

/** Of fewer columns nothing can be read. */
const LEAST_COLUMNS = 12;

/** ora loops for ever on a terminal that reports 0 columns, and draws into logs of CI. */
export function canAnimate(stream: TerminalStream, env: NodeJS.ProcessEnv): boolean {
  const isWide = (stream.columns ?? 0) >= LEAST_COLUMNS;
  return Boolean(stream.isTTY && isWide && env.TERM !== 'dumb' && !env.CI);
}
