import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9110, 5.6.7; `Date.parse` alone takes almost any text that holds a number. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Ten digits of seconds: three centuries, and still exact in milliseconds. */
const SECONDS = /^\d{1,10}$/;

/**
 * How long the service wants to be left alone, in milliseconds. A date is held against the
 * service's own clock where it tells it: ours may be wrong by minutes.
 */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (SECONDS.test(value)) return Number(value) * 1_000;
  const until = dateMs(value);
  if (until === undefined) return undefined;
  return Math.max(0, until - (dateMs(headers.date) ?? nowMs));
}

function dateMs(text = ''): number | undefined {
  const ms = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
