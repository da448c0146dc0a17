import { type Html, html } from './html.js';

/** `24 Nov 2026 12:00:00 UTC`. What `Date` does not understand (a leap second) stays as it is. */
export function time(stamp: string): Html {
  const date = new Date(stamp);
  if (Number.isNaN(date.getTime())) return html`<time>${stamp}</time>`;
  // `Tue, 24 Nov 2026 12:00:00 GMT`: an Intl formatter costs every run as much as a third of Node's start.
  const dayAndTime = date.toUTCString().slice(5).replace('GMT', 'UTC');
  return html`<time datetime="${date.toISOString()}">${dayAndTime}</time>`;
}

/** An id or a path that a line may be broken in where a reader would; copied, it is whole. */
export function breakable(text: string): Html {
  const [first, ...rest] = text.split(/(?<=[_/:])(?![_/:])/);
  return html`${first}${rest.map((part) => html`<wbr>${part}`)}`;
}
