import { isJsonObject } from '../../contracts/documents.js';

export type Kind = 'flow run' | 'chart template' | 'accounts' | 'manifest';

/** Fields that tell a kind from the others; what two kinds have tells nothing. */
const MARKS: Readonly<Record<Exclude<Kind, 'accounts'>, readonly string[]>> = {
  'flow run': ['steps', 'scope', 'flowKey', 'trigger'],
  'chart template': ['chartImgSymbolTemplate', 'request', 'id'],
  manifest: ['requested', 'items', 'failures', 'stepId'],
};

/**
 * Pure. What a document is meant to be, by the most marks. Whatever has keys counts as accounts
 * first: nothing of it may be shown. `undefined`: it has no mark of any kind.
 */
export function kindOf(document: unknown): Kind | undefined {
  if (Array.isArray(document)) return 'accounts';
  if (!isJsonObject(document)) return undefined;
  if (Object.hasOwn(document, 'apiKey') || Object.hasOwn(document, 'accounts')) return 'accounts';
  const scores = (Object.keys(MARKS) as (keyof typeof MARKS)[]).map((kind) => ({
    kind,
    marks: MARKS[kind].filter((field) => Object.hasOwn(document, field)).length,
  }));
  const [best] = scores.toSorted((a, b) => b.marks - a.marks);
  if (best && best.marks > 0) return best.kind;
  // Of a flow run, nothing but its id may be left.
  return Object.hasOwn(document, 'runId') ? 'flow run' : undefined;
}
