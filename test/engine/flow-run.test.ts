import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { addressRun } from '../../src/engine/flow-run.js';
import { RUN_ID, step } from '../support/engine-samples.js';

describe('a run that cannot be addressed', () => {
  const data = (fields: JsonObject = {}) => ({ runId: RUN_ID, steps: { a: step() }, ...fields });

  test.each<[string, JsonObject, string | undefined, RegExp]>([
    ['no runId', data({ runId: undefined }), undefined, /^runId: is required/],
    ['a bad runId', data({ runId: '../x' }), undefined, /^runId: "..\/x" is not a run id/],
    ['no steps', data({ steps: {} }), undefined, /^steps: /],
    ['a list of steps', data({ steps: [step()] }), undefined, /^steps: /],
    ['a bad step id', data(), '../x', /^--step-id: "..\/x" is not a step id/],
    ['no such step', data(), 'b', /^--step-id: .* has no step b; it has a$/],
    ['a step of every object', data(), 'constructor', /^--step-id: /],
    [
      'another type',
      data({ steps: { a: { ...step(), stepType: 'LLM_REPORT' } } }),
      'a',
      /type "LLM_REPORT"/,
    ],
    ['no status', data({ steps: { a: step({ status: undefined }) } }), 'a', /status: is required/],
  ])('%s', (_what, document, stepId, message) => {
    expect(addressRun(document, stepId)).toMatchObject({
      reason: 'not-addressable',
      message: expect.stringMatching(message),
    });
  });

  test('is not one with all that it needs', () => {
    expect(addressRun(data(), 'a')).toEqual({ runId: RUN_ID, data: data(), steps: data().steps });
  });
});
