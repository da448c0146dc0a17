import { describe } from 'vitest';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { describeDocumentStore } from '../suites/document-store-suite.js';
import { emulatorHost, whyNoEmulator } from '../support/firestore-emulator.js';

describe.skipIf(whyNoEmulator)(`the emulator ${whyNoEmulator}`, () => {
  describeDocumentStore('Firestore', async () => {
    const target = { projectId: 'demo-suite', database: '(default)' };
    const store = new FirestoreDocumentStore({ ...target, emulatorHost: await emulatorHost() });
    return { store, close: () => store.close() };
  });
});
