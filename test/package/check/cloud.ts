import { randomUUID } from 'node:crypto';
import { emulatorIsUp, startEmulator } from '../../support/emulator-process.js';
import { type FakeStorage, startFakeStorage } from '../../support/fake-storage/fake-storage.js';

const BUCKET = 'charts-bucket';
const TEMPLATES = 'node_modules/worker-chart-export/fixtures/chart-templates';

export const NO_CLOUD = 'no run on gcp (SKIPPED: no FIRESTORE_EMULATOR_HOST, no Google Cloud SDK)';

export interface Firestore {
  /** `host:port`, which may still be starting; `undefined`: there is no emulator. */
  readonly host: string | undefined;
  stop(): Promise<void>;
}

/** The emulator that is running already, else one of its own. */
export async function startFirestore(): Promise<Firestore> {
  const running = process.env.FIRESTORE_EMULATOR_HOST;
  if (running) return { host: running, stop: async () => undefined };
  const own = await startEmulator();
  if (own) return own;
  if (process.env.REQUIRE_FIRESTORE_EMULATOR === '1') throw new Error(NO_CLOUD);
  return { host: undefined, stop: async () => undefined };
}

/** A project on the Firestore emulator, and a bucket on the fake Cloud Storage. */
export class Cloud {
  readonly flags = [
    ...['--backend', 'gcp', '--charts-bucket', `gs://${BUCKET}`],
    ...['--templates-dir', TEMPLATES, '--create-flow-run'],
  ];
  readonly env: Readonly<Record<string, string>>;
  readonly #storage: FakeStorage;

  private constructor(host: string, storage: FakeStorage) {
    this.env = {
      FIRESTORE_EMULATOR_HOST: host,
      STORAGE_EMULATOR_HOST: storage.url,
      GOOGLE_CLOUD_PROJECT: `demo-${randomUUID().slice(0, 13)}`,
    };
    this.#storage = storage;
  }

  static async open(host: string): Promise<Cloud> {
    await emulatorIsUp(host);
    return new Cloud(host, await startFakeStorage({ buckets: [BUCKET] }));
  }

  get pictures(): number {
    return this.#storage.objects(BUCKET).filter(({ name }) => name.endsWith('.png')).length;
  }

  get violations(): readonly string[] {
    return this.#storage.violations;
  }

  close(): Promise<void> {
    return this.#storage.close();
  }
}
