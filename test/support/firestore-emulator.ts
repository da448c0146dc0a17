import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the emulator, which may still be starting; `null`: there is none. */
    firestoreEmulator: string | null;
  }
}

const START_MS = 60_000;

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoEmulator =
  inject('firestoreEmulator') === null
    ? 'SKIPPED: no FIRESTORE_EMULATOR_HOST, no Google Cloud SDK'
    : '';

/** The emulator's `host:port`, once it answers. */
export async function emulatorHost(): Promise<string> {
  const host = inject('firestoreEmulator');
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const up = await fetch(`http://${host}/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (host !== null && up) {
      // Its first commit takes seconds, longer than a call may.
      const warm = {
        method: 'PATCH',
        body: '{"fields":{}}',
        headers: { authorization: 'Bearer owner' },
      };
      const path = 'v1/projects/demo-warm/databases/(default)/documents/warm/up';
      const { ok } = await fetch(`http://${host}/${path}`, warm);
      if (ok) return host;
    }
    await sleep(100);
  }
  throw new Error(`the Firestore emulator at ${host} did not start`);
}
