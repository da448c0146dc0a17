import { DARK, LIGHT, type Palette, PRINT } from './palette.js';

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');
}

/** A chart with its label at the right. */
const SIDE_BY_SIDE = 'grid-template-columns: minmax(0, 13fr) minmax(0, 6fr); column-gap: 2.25rem;';

/** The page's only style sheet; the policy of the page lets no other style in. */
export const STYLE = `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }

* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
.page { max-width: 80rem; margin: 0 auto; padding: clamp(2rem, 6vw, 5rem) clamp(1.25rem, 5vw, 4rem); }
h1, h2, h3, p, dl, dd, ul, figure { margin: 0; padding: 0; }
h1, h2 {
  font-family: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "Book Antiqua", Georgia, serif;
  font-weight: 400; font-variant-numeric: lining-nums;
}
h1 { font-size: clamp(2.75rem, 8vw, 5.5rem); line-height: 1; letter-spacing: -.02em; }
h1 span { color: var(--soft); }
h2 { font-size: 1.75rem; line-height: 1.2; }
h3 { font-size: 1rem; line-height: 1.4; font-weight: 600; }
code { font: .8125em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code, dd, td, bdi { unicode-bidi: isolate; }
.flag { white-space: nowrap; }
/* One click selects the whole name. */
.uri { position: relative; user-select: all; -webkit-user-select: all; }
.known { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: var(--link); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; border-radius: 2px; }
time { white-space: nowrap; }

.eyebrow, dt, th { color: var(--soft); font-size: .8125rem; font-weight: 400; line-height: 1.6; }
.eyebrow { margin-bottom: 1rem; }
.verdict { margin-top: 1.75rem; font-size: 1.125rem; }
.verdict strong { margin-right: .5em; font-size: .875em; letter-spacing: .08em; }
.SUCCEEDED strong { color: var(--good); }
.FAILED strong { color: var(--bad); }
.notice { margin-top: .5rem; max-width: 44rem; color: var(--soft); }
.identity {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: 1.25rem 2.25rem;
  margin-top: 2.5rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
}
.identity .wide { grid-column: 1 / -1; }

section { margin-top: clamp(3.5rem, 8vw, 6rem); }
section > h2 { margin-bottom: 1.75rem; }

.reason { display: grid; gap: 1rem 2.25rem; padding: 1.5rem 0; border-top: 1px solid var(--line); }
.reason h3 { color: var(--bad); }
.reason .remedy { margin-top: .75rem; }
.reason ul { list-style: none; display: grid; gap: 1.25rem; }
.reason li p:first-child { color: var(--soft); }
.said { color: var(--soft); font-size: .875rem; }

.charts { display: grid; gap: clamp(3rem, 5vw, 4rem) 2.25rem; }
figure { display: grid; gap: 1rem; align-content: start; min-width: 0; }
figure img, .hole { justify-self: start; max-width: 100%; border-radius: 3px; }
figure img { display: block; height: auto; background: #fff; box-shadow: 0 0 0 1px var(--line); }
.hole {
  width: 100%; min-height: 14rem; padding: 2rem; display: grid; place-content: center; text-align: center;
  border: 1px dashed var(--soft); color: var(--soft);
}
.hole strong { display: block; color: var(--bad); font-weight: 600; }
figcaption p { color: var(--soft); }
.facts { display: grid; align-items: baseline; grid-template-columns: max-content minmax(0, 1fr); gap: .125rem 1rem; margin-top: .75rem; font-size: .875rem; }
.facts dt { font-size: inherit; }
.facts dd { font-variant-numeric: tabular-nums; }

table { width: 100%; border-collapse: collapse; }
th { text-align: left; }
th, td { padding: .625rem 1rem .625rem 0; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { width: 2.75rem; color: var(--soft); font-variant-numeric: tabular-nums; }
th:last-child, td:last-child { padding-right: 0; }
.lost { color: var(--bad); }
td a.lost { color: var(--bad); }

footer { margin-top: clamp(3.5rem, 8vw, 6rem); padding-top: 1.25rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8125rem; }
footer p { max-width: 44rem; }

@media (min-width: 60rem) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .hole { aspect-ratio: 4 / 3; }
  /* The first of an odd number leads, so that no gap is left at the end. */
  figure:first-child:nth-last-child(odd) { grid-column: 1 / -1; ${SIDE_BY_SIDE} }
  figure:first-child:nth-last-child(odd) figcaption { align-self: end; }
  .reason { grid-template-columns: minmax(0, 6fr) minmax(0, 13fr); }
}

/* A white chart in a dark room: lowered a little, its colours kept. */
@media screen and (prefers-color-scheme: dark) {
  figure img { filter: brightness(.9); box-shadow: none; }
}

@media print {
  :root { color-scheme: light; ${variables(PRINT)} }
  @page { margin: 16mm 15mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5a5d63; } }
  body { font-size: 9.5pt; }
  .page { max-width: none; padding: 0; }
  h1 { font-size: 36pt; }
  h2 { font-size: 16pt; }
  section, footer { margin-top: 12mm; }
  section > h2 { margin-bottom: 5mm; }
  .identity { grid-template-columns: 5fr 5fr 5fr 3fr; font-size: 8pt; gap: 4mm 6mm; margin-top: 8mm; padding-top: 4mm; }
  .charts { grid-template-columns: 100%; gap: 6mm; }
  figure, figure:first-child:nth-last-child(odd) { grid-template-columns: 55% minmax(0, 1fr); column-gap: 6mm; break-inside: avoid; }
  /* A shadow would leave its upper edge on the page before. */
  figure img { border: 1px solid var(--line); box-shadow: none; }
  figure figcaption { align-self: start !important; }
  .hole { min-height: 6rem; }
  .facts, .said, .eyebrow, dt, th, footer { font-size: 8pt; }
  h2, h3, thead { break-after: avoid; }
  .reason > div, .reason li, tr, .identity div { break-inside: avoid; }
  .reason > div { break-after: avoid; }
  /* Two rows at least stay with their heading. */
  tbody tr:first-child { break-after: avoid; }
  .uri + a { display: none; }
  a { color: inherit; text-decoration: none; }
}
`;
