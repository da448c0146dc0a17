import { type Html, html } from './html.js';

const DAY_AND_TIME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** `24 Nov 2026, 12:00:00 UTC`. What `Date` does not understand (a leap second) stays as it is. */
export function time(stamp: string): Html {
  const date = new Date(stamp);
  if (Number.isNaN(date.getTime())) return html`<time>${stamp}</time>`;
  return html`<time datetime="${date.toISOString()}">${DAY_AND_TIME.format(date)} UTC</time>`;
}

/** `1 chart`, `2 charts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** An id or a path that a line may be broken in where a reader would; copied, it is whole. */
export function breakable(text: string): Html {
  const [first, ...rest] = text.split(/(?<=[_/:])(?![_/:])/);
  return html`${first}${rest.map((part) => html`<wbr>${part}`)}`;
}
