import type { ChartsOutputsManifest } from '../contracts/documents.js';
import { breakable } from './formats.js';
import { type Html, html } from './html.js';
import { explain } from './remedies.js';

/** Every request in its order, with what became of it. */
export function requests({ requested, items, failures }: ChartsOutputsManifest): Html {
  const outcomeOf = (id: string): Html => {
    const item = items.findIndex(({ chartTemplateId }) => chartTemplateId === id);
    if (item >= 0) return html`<a href="#chart-${item + 1}">${items[item]?.kind}</a>`;
    const lost = failures.findIndex(({ request }) => request.chartTemplateId === id);
    const failure = failures[lost];
    return failure
      ? html`<a class="lost" href="#failure-${lost + 1}">${explain(failure.error).title}</a>`
      : html`<span class="lost">The manifest does not say</span>`;
  };
  const row = (id: string, index: number) =>
    html`<tr><td>${index + 1}</td><td><code>${breakable(id)}</code></td><td>${outcomeOf(id)}</td></tr>\n`;
  return html`
<section aria-labelledby="requests">
<h2 id="requests">What was asked for</h2>
<table>
<thead><tr><th scope="col">No.</th><th scope="col">Chart template</th><th scope="col">What came of it</th></tr></thead>
<tbody>
${requested.map(({ chartTemplateId }, index) => row(chartTemplateId, index))}</tbody>
</table>
</section>`;
}
