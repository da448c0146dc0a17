import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import type { FunctionServer } from '../support/function-server.js';
import { runOfSteps } from '../support/gcp-deps.js';
import { malformedEvents, REASONS } from '../support/malformed-events.js';
import { binaryEvent } from '../support/saved-events.js';
import { ServedFunction } from '../support/served-function.js';
import { share } from '../support/share.js';

const RUN_ID = '20251221-120000_BTCUSDT_malf';
const STEP_ID = 'charts:1H:a';
const LANES = 4;

async function openScene(onTestFinished: (undo: () => Promise<void>) => void) {
  const scene = await ServedFunction.open(onTestFinished);
  const run = runOfSteps(RUN_ID, [STEP_ID], ['ctpl_price_ma1226_vol_v1']);
  await scene.cloud.put(paths.flowRun(RUN_ID), run);
  return scene;
}

/** Every document of the kinds that the function writes, with its version. */
async function documentsOf({ cloud }: ServedFunction) {
  const collections = ['flow_runs', paths.leases(RUN_ID), 'chart_img_accounts_usage'];
  const pages = collections.map((collection) => cloud.documents.list(collection, { limit: 100 }));
  return (await Promise.all(pages)).map(({ documents }) => documents);
}

async function expectStillWorks(server: FunctionServer, scene: ServedFunction): Promise<void> {
  expect(await server.send(binaryEvent(RUN_ID))).toEqual({ status: 204, body: '' });
  const { steps } = await scene.cloud.flowRun(RUN_ID);
  expect(steps[STEP_ID]).toMatchObject({ status: 'SUCCEEDED' });
}

describe.skipIf(whyNoEmulator)(`what is no event of ours ${whyNoEmulator}`, () => {
  test('malformed events are ignored, each with its reason, and nothing is touched', async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const server = await scene.start();
    const before = await documentsOf(scene);
    const events = share(malformedEvents(2_000, RUN_ID), 10);
    const rest = events.values();
    const answers: object[] = [];
    const reasons: string[] = [];
    const lane = async () => {
      for (const { kind, make } of rest) {
        const { sent, reason } = make();
        reasons.push(REASONS[reason]);
        answers.push({ kind, ...(await server.send(sent)) });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));

    expect(answers).toHaveLength(events.length);
    expect(answers.filter((answer) => !isEmpty204(answer))).toEqual([]);
    const ignored = server.linesOf('cloud_event_ignored');
    expect(counts(ignored.map(({ reason }) => String(reason)))).toEqual(counts(reasons));
    expect(server.linesOf('cloud_event_received')).toHaveLength(events.length);
    // Nothing else, and no client of anything was opened for it.
    expect(server.log).toHaveLength(2 * events.length);
    expect(server.stderr).toBe('');
    expect(await documentsOf(scene)).toEqual(before);
    expect(scene.cloud.storage.requests).toEqual([]);
    expect(scene.chartImg.requests).toEqual([]);
    await expectStillWorks(server, scene);
  });

  test('requests that never come to an event do not end the server', async ({ onTestFinished }) => {
    const scene = await openScene(onTestFinished);
    const server = await scene.start();
    const head = 'POST / HTTP/1.1\r\nhost: x\r\nce-id: 1\r\n';
    for (const bytes of [
      'HELO example.org\r\n\r\n',
      head,
      `${head}content-length: 1000\r\n\r\nhalf`,
      `${head}ce-x: ${'x'.repeat(40_000)}\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      socket.end(bytes);
      await once(socket, 'close');
    }
    await expectStillWorks(server, scene);
    expect(server.linesOf('cloud_event_received')).toHaveLength(1);
  });
});

function isEmpty204(answer: object): boolean {
  return 'status' in answer && answer.status === 204 && 'body' in answer && answer.body === '';
}

function counts(values: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const value of values) counted[value] = (counted[value] ?? 0) + 1;
  return counted;
}
