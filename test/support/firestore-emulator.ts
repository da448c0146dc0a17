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

/** It is asked once, not by each of hundreds of scenes. */
let up: Promise<void> | undefined;

/** The emulator's `host:port`, once it answers. */
export async function emulatorHost(): Promise<string> {
  const host = inject('firestoreEmulator');
  if (host === null) throw new Error(whyNoEmulator);
  up ??= emulatorIsUp(host);
  await up;
  return host;
}
