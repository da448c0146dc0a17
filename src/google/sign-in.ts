import type { GoogleAuth } from 'google-auth-library';
import { SignInFailed } from './api-errors.js';

/** What google-auth-library has for it. */
export type Signer = Pick<GoogleAuth, 'getRequestHeaders'>;

export const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Who asks: the headers that say so, from the application default credentials. */
export class SignIn {
  #signer: Signer | undefined;
  #first: Promise<unknown> | undefined;

  /** Without `signer`: google-auth-library's, loaded (0.1 s) when it is needed. */
  constructor(signer?: Signer) {
    this.#signer = signer;
  }

  /** Rejects with `SignInFailed`; listens to no signal while it waits, so that it is to be raced. */
  async headersFor(url: URL, signal: AbortSignal): Promise<Record<string, string>> {
    try {
      this.#signer ??= await applicationDefault();
      await this.#firstTime(this.#signer, url.href, signal);
      return Object.fromEntries(await this.#signer.getRequestHeaders(url.href));
    } catch (error) {
      throw new SignInFailed(error);
    }
  }

  /** Once: parallel calls would each fetch a token of their own. */
  async #firstTime(signer: Signer, url: string, signal: AbortSignal): Promise<void> {
    this.#first ??= signer.getRequestHeaders(url);
    const first = this.#first;
    // One that hangs is bounded by nobody: the next call must not wait for it again.
    const forget = () => {
      if (this.#first === first) this.#first = undefined;
    };
    signal.addEventListener('abort', forget, { once: true });
    try {
      await first;
    } catch (error) {
      forget();
      throw error;
    } finally {
      signal.removeEventListener('abort', forget);
    }
  }
}

async function applicationDefault(): Promise<Signer> {
  const { GoogleAuth } = await import('google-auth-library');
  return new GoogleAuth({ scopes: SCOPE });
}
