import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { runOfSteps } from '../support/gcp-deps.js';
import { binaryEvent, structuredEvent } from '../support/saved-events.js';
import { ServedFunction } from '../support/served-function.js';

const RUN_ID = '20251221-120000_BTCUSDT_fnct';
const TEMPLATE = 'ctpl_price_ma1226_vol_v1';

describe.skipIf(whyNoEmulator)(`the function on the emulator ${whyNoEmulator}`, () => {
  test.for([
    ['binary', binaryEvent],
    ['structured', structuredEvent],
  ] as const)('a %s event has its run done', async ([, event], { onTestFinished }) => {
    const scene = await ServedFunction.open(onTestFinished);
    await scene.cloud.put(
      paths.flowRun(RUN_ID),
      runOfSteps(RUN_ID, ['charts:1H:a', 'charts:1H:b'], [TEMPLATE]),
    );
    const server = await scene.start();
    expect(await server.send(event(RUN_ID))).toEqual({ status: 204, body: '' });
    const { steps } = await scene.cloud.flowRun(RUN_ID);
    expect(Object.values(steps).map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });
});
