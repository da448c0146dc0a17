import { inject } from 'vitest';
import { emulatorIsUp } from './emulator-process.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the emulator, which may still be starting; `null`: there is none. */
    firestoreEmulator: string | null;
  }
}

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoEmulator =
  inject('firestoreEmulator') === null
    ? 'SKIPPED: no FIRESTORE_EMULATOR_HOST, no Google Cloud SDK'
    : '';

/** The emulator's `host:port`, once it answers. */
export async function emulatorHost(): Promise<string> {
  const host = inject('firestoreEmulator');
  if (host === null) throw new Error(whyNoEmulator);
  await emulatorIsUp(host);
  return host;
}
