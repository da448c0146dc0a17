import firestore from '@google-cloud/firestore';
import { GoogleAuth, googleAuthLibrary, grpc } from 'google-gax';
import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { jsonFile } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, type CloudRun, GcpScene } from '../support/gcp-scene.js';

const RUN_ID = '20251221-120000_BTCUSDT_alien';
const STEPS = 500;
/** Its neighbours are what a path that is not quoted would hit. */
const OURS = 'charts:1H:a.b-c';
const NEIGHBOURS = ['charts:1H:a', 'charts', 'charts:1H:a.b', 'charts:1H:a.b-c.status'];
const TEMPLATE = 'ctpl_price_ma1226_vol_v1';
const MANIFEST = `gs://${BUCKET}/charts/${RUN_ID}/${OURS}/manifest.json`;

/** A value as the API's own messages spell it. Its REST twin makes 0 of -0. */
type Raw = Readonly<Record<string, unknown>>;
type RawFields = Readonly<Record<string, Raw>>;

const text = (stringValue: string): Raw => ({ stringValue });
const map = (fields: RawFields): Raw => ({ mapValue: { fields } });
const list = (...values: Raw[]): Raw => ({ arrayValue: { values } });

/** One of every type, the edges of each, and names that a field path would have to quote. */
function alien(i: number, projectId: string): RawFields {
  const other = `projects/${projectId}/databases/(default)/documents/others/o.${i}`;
  const scalars: RawFields = {
    null: { nullValue: 'NULL_VALUE' },
    yes: { booleanValue: true },
    no: { booleanValue: false },
    int: { integerValue: String(9_007_199_254_740_993n + BigInt(i)) },
    'int.min': { integerValue: '-9223372036854775808' },
    half: { doubleValue: i + 0.1 },
    // A whole number that is not an integer.
    whole: { doubleValue: 3 },
    'minus zero': { doubleValue: -0 },
    NaN: { doubleValue: Number.NaN },
    Infinity: { doubleValue: Number.POSITIVE_INFINITY },
    '-Infinity': { doubleValue: Number.NEGATIVE_INFINITY },
    tiny: { doubleValue: 5e-324 },
    time: { timestampValue: { seconds: 1_766_318_400, nanos: 123_456_000 } },
    'time/nanos': { timestampValue: { seconds: -1, nanos: 999_999_999 } },
    'b`ytes': { bytesValue: Buffer.from([0, 255, 128, i % 256]) },
    reference: { referenceValue: other },
    place: { geoPointValue: { latitude: -33.86, longitude: 151.2 } },
    '': text(''),
    'ünï☃😀': text('é😀\u0000'),
    '[*]~': text('x'),
  };
  return {
    ...Object.fromEntries(Object.entries(scalars).filter(([name]) => name !== '')),
    'empty.map': map({}),
    'empty-list': { arrayValue: {} },
    vector: map({
      __type__: text('__vector__'),
      value: list({ doubleValue: 0.5 }, { doubleValue: 2 }),
    }),
    deep: map({ 'li.st': list(map({ list: list(map({ 'b`ytes': scalars['b`ytes'] as Raw })) })) }),
    list: list(...Object.values(scalars), map({ time: scalars.time as Raw })),
  };
}

function rawRun(projectId: string): RawFields {
  const step = (stepType: string, i: number, more: RawFields = {}): Raw =>
    map({
      stepType: text(stepType),
      status: text('READY'),
      timeframe: text('1h'),
      inputs: map({
        minImages: { integerValue: '1' },
        requests: list(map({ chartTemplateId: text(TEMPLATE), alien: map(alien(i, projectId)) })),
        ...alien(i, projectId),
      }),
      outputs: map(i === 0 ? alien(i, projectId) : {}),
      // In all of them it would be more than a document may hold.
      ...(i < 100 && { alien: map(alien(i, projectId)) }),
      ...more,
    });
  const others = Array.from({ length: STEPS - NEIGHBOURS.length - 1 }, (_, i) => `x:${i}.y-${i}`);
  const steps = {
    [OURS]: step('CHART_EXPORT', 0, {
      ...alien(7, projectId),
      error: map({ code: text('OLD'), ...alien(8, projectId) }),
    }),
    ...Object.fromEntries(
      NEIGHBOURS.map((id, i) => [
        id,
        step('CHART_EXPORT', i, { 'b-c': map({ status: text('') }) }),
      ]),
    ),
    ...Object.fromEntries(others.map((id, i) => [id, slim(`LLM_REPORT`, i, projectId)])),
  };
  return {
    ...alien(1, projectId),
    runId: text(RUN_ID),
    schemaVersion: { doubleValue: 99.5 },
    status: text('RUNNING'),
    scope: map({ symbol: text('BTCUSDT'), ...alien(2, projectId) }),
    steps: map(steps),
  };
}

/** Five hundred full ones would be more than a document may hold. */
function slim(stepType: string, i: number, projectId: string): Raw {
  const types = Object.entries(alien(i, projectId));
  const some = types.filter((_, at) => (at + i) % 4 === 0);
  return map({ stepType: text(stepType), ...Object.fromEntries(some) });
}

interface RawDocument {
  readonly fields: RawFields & { readonly steps: { mapValue: { fields: Record<string, Raw> } } };
  readonly createTime: unknown;
}

class RawFirestore {
  readonly #client: InstanceType<typeof firestore.v1.FirestoreClient>;
  readonly #database: string;
  readonly #options = { otherArgs: { headers: { authorization: 'Bearer owner' } } };

  constructor({ projectId, env }: GcpScene) {
    const [servicePath = '', port] = env.FIRESTORE_EMULATOR_HOST?.split(':') ?? [];
    this.#database = `projects/${projectId}/databases/(default)`;
    this.#client = new firestore.v1.FirestoreClient({
      projectId,
      servicePath,
      port: Number(port),
      sslCreds: grpc.credentials.createInsecure(),
      auth: new GoogleAuth({ authClient: new googleAuthLibrary.PassThroughClient() }),
    });
  }

  async write(path: string, fields: RawFields): Promise<void> {
    const writes = [{ update: { name: `${this.#database}/documents/${path}`, fields } }];
    await this.#client.commit({ database: this.#database, writes } as object, this.#options);
  }

  async read(path: string): Promise<RawDocument> {
    const name = `${this.#database}/documents/${path}`;
    const [document] = await this.#client.getDocument({ name }, this.#options);
    return document as unknown as RawDocument;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function fieldsOf(raw: Raw | undefined): Record<string, Raw> {
  return { ...((raw?.mapValue as { fields?: Record<string, Raw> })?.fields ?? {}) };
}

/** The document without what the worker may write, and what it did write. */
function split({ fields }: RawDocument): { others: unknown; own: Record<string, unknown> } {
  const { [OURS]: step, ...steps } = fieldsOf(fields.steps);
  const { status, finishedAt, error, outputs, ...rest } = fieldsOf(step);
  const { outputsManifestGcsUri, ...outputsOfOthers } = fieldsOf(outputs);
  const others = { ...fields, steps, ours: { ...rest, outputs: outputsOfOthers } };
  return { others, own: { status, finishedAt, error, outputsManifestGcsUri } };
}

async function runOurs(scene: GcpScene, ...flags: string[]): Promise<CloudRun> {
  const requests = [{ chartTemplateId: TEMPLATE }, { chartTemplateId: 'ctpl_no_such' }];
  const minImages = flags.includes('--replay') ? 2 : 1;
  const step = {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { minImages, requests },
  };
  const file = { runId: RUN_ID, scope: { symbol: 'BTCUSDT' }, steps: { [OURS]: step } };
  const path = await jsonFile(scene.cwd, 'run.json', file);
  return scene.run(path, '--step-id', OURS, ...flags);
}

describe.skipIf(whyNoEmulator)(`a run that is full of others' fields ${whyNoEmulator}`, () => {
  test(`${STEPS} steps: a step that is done, and then replayed to FAILED, changes its own fields alone`, async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const raw = new RawFirestore(scene);
    onTestFinished(() => raw.close());
    await raw.write(paths.flowRun(RUN_ID), rawRun(scene.projectId));
    const before = await raw.read(paths.flowRun(RUN_ID));
    // The emulator kept what is hard to keep; else the comparison would say little.
    expect(before.fields).toMatchObject({
      'minus zero': { doubleValue: -0 },
      NaN: { doubleValue: Number.NaN },
      int: { integerValue: '9007199254740994' },
      whole: { doubleValue: 3 },
      time: { timestampValue: { seconds: '1766318400', nanos: 123_456_000 } },
      'b`ytes': { bytesValue: Buffer.from([0, 255, 128, 1]) },
      vector: { mapValue: { fields: { __type__: { stringValue: '__vector__' } } } },
    });
    expect(Object.keys(fieldsOf(before.fields.steps))).toHaveLength(STEPS);

    const done = await runOurs(scene);
    expect(done).toMatchObject({ exitCode: 0, summary: { status: 'SUCCEEDED', itemsCount: 1 } });
    const after = await raw.read(paths.flowRun(RUN_ID));
    expect(split(after).others).toStrictEqual(split(before).others);
    expect(after.createTime).toEqual(before.createTime);
    const finishedAt = expect.objectContaining({
      stringValue: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(split(after).own).toEqual({
      status: expect.objectContaining(text('SUCCEEDED')),
      finishedAt,
      error: undefined,
      outputsManifestGcsUri: expect.objectContaining(text(MANIFEST)),
    });

    const replayed = await runOurs(scene, '--replay');
    expect(replayed).toMatchObject({ exitCode: 1, summary: { status: 'FAILED', itemsCount: 1 } });
    const last = await raw.read(paths.flowRun(RUN_ID));
    expect(split(last).others).toStrictEqual(split(before).others);
    const { error, ...own } = split(last).own;
    expect(own).toEqual({
      status: expect.objectContaining(text('FAILED')),
      finishedAt,
      outputsManifestGcsUri: expect.objectContaining(text(MANIFEST)),
    });
    expect(Object.keys(fieldsOf(error as Raw)).sort()).toEqual(['code', 'details', 'message']);

    const { documents } = await scene.documents.list(paths.leases(RUN_ID), { limit: 10 });
    expect(documents.map(({ id, data }) => [id, data.state])).toEqual([[OURS, 'DONE']]);
  });
});
