import type { TestProject } from 'vitest/node';
import { type EmulatorProcess, startEmulator } from './emulator-process.js';

/**
 * Vitest's global set-up: one Firestore emulator for all test files, started beside them so that
 * nobody waits who does not need it. One that is running already is used as it is.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env.FIRESTORE_EMULATOR_HOST;
  let started: EmulatorProcess | undefined;
  if (!running) started = await startEmulator();
  const host = running || started?.host;
  if (host === undefined && process.env.REQUIRE_FIRESTORE_EMULATOR === '1') {
    throw new Error(`REQUIRE_FIRESTORE_EMULATOR is set: ${NONE}`);
  }
  project.provide('firestoreEmulator', host ?? null);
  return async () => started?.stop();
}

const NONE = 'no FIRESTORE_EMULATOR_HOST, no Google Cloud SDK with cloud-firestore-emulator';
