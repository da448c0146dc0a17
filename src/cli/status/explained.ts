import type { ManifestError } from '../../contracts/generated/types.js';
import { explain } from '../../report/remedies.js';

/** An error with what it means and what to do about it. */
export interface ErrorView {
  readonly code: string;
  readonly message: string;
  readonly title: string;
  readonly remedy: string;
}

export function explained(error: ManifestError): ErrorView {
  const { code, message } = error;
  return { code, message, ...explain(error) };
}
