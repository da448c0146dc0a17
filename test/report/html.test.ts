import { expect, test } from 'vitest';
import { escapeText, Html, html } from '../../src/report/html.js';

const textOf = (page: Html) => page.toBuffer().toString();

test('text is escaped, markup is not, and nothing is escaped twice', () => {
  const inner = html`<b title="${'"'}">${'<&>'}</b>`;
  expect(textOf(html`<p>${inner}${"'"}</p>`)).toBe(
    '<p><b title="&#34;">&#60;&#38;&#62;</b>&#39;</p>',
  );
});

test('lists stand one after the other, numbers are words, what is absent leaves nothing', () => {
  expect(textOf(html`${['<', [html`<i>`, 0]]}|${undefined}|`)).toBe('&#60;<i>0||');
});

test('only text that is said to be trusted is left as it is', () => {
  expect(textOf(html`${Html.trusted('a > b')}`)).toBe('a > b');
});

test('control characters are shown as what cannot be shown, line ends are kept', () => {
  expect(escapeText('a\0b\u001bc\u0085d\te\nf')).toBe('a\uFFFDb\uFFFDc\uFFFDd\te\nf');
});

test('the buffer is the text in UTF-8, whatever is in it', () => {
  const text = 'é × — 📈 \ud800';
  expect(html`${text}|${text}`.toBuffer()).toEqual(Buffer.from(`${text}|${text}`));
});
