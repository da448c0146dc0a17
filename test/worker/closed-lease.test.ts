import { expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { timeFor } from '../../src/worker/do-run.js';
import { sweep } from '../../src/worker/sweep.js';
import { chartStep, RUN_ID, told, WorkerScene } from '../support/worker-scene.js';

const STEP_ID = 'charts:1H:a';

test('whoever is at work when its step is cancelled and its lease closed does not call it done', async ({
  onTestFinished,
}) => {
  const scene = await WorkerScene.open(onTestFinished, { [STEP_ID]: chartStep() });
  const { documents, artifacts } = scene.worker;
  const cancelled = async () => {
    const fields = [[['steps', STEP_ID, 'status'], 'CANCELLED']] as const;
    await documents.commit([{ kind: 'patch', path: paths.flowRun(RUN_ID), fields }]);
    const { logger } = scene;
    const signal = new AbortController().signal;
    const swept = await sweep(scene.worker, { logger, signal, ...timeFor(540_000) });
    expect(swept.leasesClosed).toBe(1);
  };
  const outcomes = await scene.doRun(
    {},
    {
      artifacts: Object.assign(Object.create(artifacts), {
        bucket: artifacts.bucket,
        put: async (object: Parameters<typeof artifacts.put>[0]) => {
          if (object.name.endsWith('/manifest.json')) await cancelled();
          return artifacts.put(object);
        },
        look: (name: string) => artifacts.look(name),
        probe: () => artifacts.probe(),
      }),
    },
  );
  expect(told(outcomes)).toEqual([`lease-lost ${STEP_ID}`, 'nothing-eligible']);
  expect(await scene.statuses()).toEqual({ [STEP_ID]: 'CANCELLED' });
  expect(await scene.lease(STEP_ID)).toMatchObject({ state: 'DONE' });
});
