import type { ManifestFailure } from '../contracts/documents.js';
import { breakable } from './formats.js';
import { type Html, html } from './html.js';
import { type Explanation, explain, httpStatusOf } from './remedies.js';

interface Reason {
  readonly code: string;
  readonly explanation: Explanation;
  /** With its number among all failures. */
  readonly failures: [number, ManifestFailure][];
}

/**
 * What failed, one block a reason, so that forty charts without quota have one remedy and not
 * forty; `failure-1` is the id of the first failure of the manifest.
 */
export function failures(all: readonly ManifestFailure[]): Html | undefined {
  if (all.length === 0) return undefined;
  return html`
<section aria-labelledby="failures">
<h2 id="failures">What failed</h2>
${reasonsOf(all).map(block)}
</section>`;
}

function reasonsOf(all: readonly ManifestFailure[]): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const [index, failure] of all.entries()) {
    const { code } = failure.error;
    const explanation = explain(failure.error);
    const key = JSON.stringify([code, explanation.title]);
    const reason = reasons.get(key) ?? { code, explanation, failures: [] };
    reasons.set(key, reason);
    reason.failures.push([index + 1, failure]);
  }
  return [...reasons.values()];
}

function block({ code, explanation, failures }: Reason): Html {
  return html`
<div class="reason">
<div>
<h3>${explanation.title}</h3>
<p><code>${breakable(code)}</code></p>
<p class="remedy">${withFlags(explanation.remedy)}</p>
</div>
<ul>${failures.map(entry)}</ul>
</div>`;
}

function entry([number, { request, error }]: [number, ManifestFailure]): Html {
  const said = saidByProvider(error);
  return html`
<li id="failure-${number}">
<p><code>${breakable(request.chartTemplateId)}</code></p>
<p>${error.message}</p>
${said !== undefined ? html`<p class="said">${said}</p>` : undefined}
</li>`;
}

/** Flags look as they are typed, and are not broken between their dashes. */
function withFlags(remedy: string): Html[] {
  return remedy
    .split(/(--[a-z-]+)/)
    .map((part) =>
      part.startsWith('--') ? html`<code class="flag">${part}</code>` : html`${part}`,
    );
}

/** The provider's words are left out where the message has them already. */
function saidByProvider({ message, details }: ManifestFailure['error']): string | undefined {
  const status = httpStatusOf(details);
  const words = details?.providerMessage;
  const more = typeof words === 'string' && words !== '' && !message.includes(words);
  if (status === undefined) return more ? `Chart-IMG said: ${words}` : undefined;
  return `Chart-IMG answered HTTP ${status}${more ? `: ${words}` : ''}`;
}
