import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { StoredDocument } from '../../src/documents/document-store.js';
import type { StepRequest } from '../../src/engine/deps.js';
import type { Run } from '../../src/engine/flow-run.js';
import { select, shortlist } from '../../src/engine/select.js';
import {
  LEASE_TTL_MS,
  leaseDocument,
  RUN_ID,
  recordingLogger,
  runOf,
  step,
  stepRequest,
} from '../support/engine-samples.js';

interface Scene {
  readonly run: Run;
  readonly request?: Partial<StepRequest>;
  readonly leases?: Readonly<Record<string, StoredDocument>>;
  readonly ownerIsGone?: boolean;
  readonly readTimeMs?: number;
}

function selectIn({ run, request, leases = {}, ownerIsGone = false, readTimeMs = 1 }: Scene) {
  const { logger, events } = recordingLogger();
  const selected = select(
    run,
    stepRequest(request),
    { readTimeMs, of: (stepId) => leases[stepId], ownerIsGone: () => ownerIsGone },
    logger,
  );
  return { selected, events };
}

const NAMED = { stepId: 'a' };
const REPLAY = { stepId: 'a', replay: true };
const LIVE = { a: leaseDocument() };
const RELEASED = { a: leaseDocument({ state: 'RELEASED' }) };
const DONE = { a: leaseDocument({ state: 'DONE' }) };
const AFTER_TTL = LEASE_TTL_MS + 1;

describe('how one step may be entered', () => {
  const fresh = { stepId: 'a', status: 'READY', entry: 'fresh', expired: false };
  const takeover = { stepId: 'a', status: 'RUNNING', entry: 'takeover' };
  const replayed = (status: string) => ({ stepId: 'a', status, entry: 'replay', expired: false });
  const final = { reason: 'already-final', errorCode: null, manifestUri: null };

  const requests = {
    unnamed: {},
    named: NAMED,
    replay: REPLAY,
    'unnamed replay': { replay: true },
  };
  const leases = {
    none: {},
    live: { leases: LIVE },
    expired: { leases: LIVE, readTimeMs: AFTER_TTL },
    'of a dead process': { leases: LIVE, ownerIsGone: true },
    released: { leases: RELEASED },
    done: { leases: DONE },
  };

  test.each<[string, keyof typeof requests, keyof typeof leases, object]>([
    ['READY', 'named', 'none', fresh],
    ['READY', 'unnamed', 'none', fresh],
    ['READY', 'replay', 'none', fresh],
    ['READY', 'named', 'live', fresh],
    ['RUNNING', 'named', 'live', { reason: 'held', status: 'RUNNING' }],
    ['RUNNING', 'replay', 'live', { reason: 'held' }],
    ['RUNNING', 'unnamed', 'live', { reason: 'nothing-eligible' }],
    ['RUNNING', 'named', 'expired', { ...takeover, expired: true }],
    ['RUNNING', 'unnamed', 'expired', { ...takeover, expired: true }],
    ['RUNNING', 'unnamed', 'of a dead process', { ...takeover, expired: true }],
    ['RUNNING', 'unnamed', 'released', { ...takeover, expired: false }],
    ['RUNNING', 'named', 'none', { reason: 'unleased' }],
    ['RUNNING', 'named', 'done', { reason: 'unleased' }],
    ['RUNNING', 'unnamed', 'none', { reason: 'nothing-eligible' }],
    ['RUNNING', 'replay', 'none', replayed('RUNNING')],
    ['RUNNING', 'replay', 'released', replayed('RUNNING')],
    ['RUNNING', 'replay', 'expired', replayed('RUNNING')],
    ['SUCCEEDED', 'named', 'done', { ...final, status: 'SUCCEEDED' }],
    ['FAILED', 'named', 'done', { ...final, status: 'FAILED' }],
    ['SUCCEEDED', 'unnamed', 'done', { reason: 'all-succeeded' }],
    ['FAILED', 'unnamed', 'done', { reason: 'nothing-eligible' }],
    ['SUCCEEDED', 'replay', 'done', replayed('SUCCEEDED')],
    ['FAILED', 'replay', 'done', replayed('FAILED')],
    ['FAILED', 'unnamed replay', 'done', replayed('FAILED')],
    ...['PENDING', 'SKIPPED', 'CANCELLED', 'DREAMING'].flatMap(
      (status): [string, keyof typeof requests, 'none', object][] => [
        [status, 'named', 'none', { reason: 'not-ready', status }],
        [status, 'replay', 'none', { reason: 'not-ready', status }],
        [status, 'unnamed', 'none', { reason: 'nothing-eligible' }],
      ],
    ),
  ])('%s, %s, lease %s', (status, request, lease, expected) => {
    const run = runOf({ a: step({ status }) });
    const { selected } = selectIn({ run, request: requests[request], ...leases[lease] });
    expect(selected).toMatchObject(expected);
  });

  test('the holder is named, and since when', () => {
    const run = runOf({ a: step({ status: 'RUNNING' }) });
    expect(selectIn({ run, request: REPLAY, leases: LIVE }).selected).toMatchObject({
      message: 'step a is held by process 42 on host-1 since 2025-12-21T12:00:00.000Z',
    });
  });

  test('a final step tells its code and manifest', () => {
    const outputs = { outputsManifestGcsUri: 'gs://b/m.json' };
    const error = { code: 'CHART_API_FAILED', message: 'no' };
    const run = runOf({ a: step({ status: 'FAILED', outputs, error }) });
    expect(selectIn({ run, request: NAMED }).selected).toEqual({
      reason: 'already-final',
      runId: RUN_ID,
      stepId: 'a',
      status: 'FAILED',
      errorCode: 'CHART_API_FAILED',
      manifestUri: 'gs://b/m.json',
    });
  });

  test.each(['READY', 'RUNNING', 'PENDING'])('a CANCELLED run has no %s step to do', (status) => {
    const run = runOf({ a: step({ status }) }, { status: 'CANCELLED' });
    const message = `run ${RUN_ID} is CANCELLED`;
    for (const leases of [{}, RELEASED]) {
      expect(selectIn({ run, request: NAMED, leases }).selected).toMatchObject({
        reason: 'not-ready',
        message,
      });
      expect(selectIn({ run, leases }).selected).toMatchObject({
        reason: 'nothing-eligible',
        message,
      });
    }
  });
});

describe('dependencies', () => {
  const ready = (dependsOn: unknown, others: JsonObject = {}) =>
    runOf({ a: step({ dependsOn }), ...others });

  test('let pass where all are SUCCEEDED, or there are none', () => {
    const others = { o1: step({ status: 'SUCCEEDED' }), o2: { status: 'SUCCEEDED' } };
    for (const dependsOn of [undefined, null, [], ['o1'], ['o1', 'o2']]) {
      expect(selectIn({ run: ready(dependsOn, others), request: NAMED }).selected).toMatchObject({
        entry: 'fresh',
      });
    }
  });

  test.each(['PENDING', 'READY', 'RUNNING', 'FAILED', 'SKIPPED', 'CANCELLED', undefined])(
    'block where one is %s, and --ignore-dependencies sets that aside',
    (status) => {
      const run = ready(['o1', 'o2'], { o1: { status: 'SUCCEEDED' }, o2: { status } });
      const { selected, events } = selectIn({ run, request: NAMED });
      expect(selected).toMatchObject({
        reason: 'blocked',
        message: `step a is blocked by o2 (${status})`,
      });
      expect(events).toMatchObject([
        {
          severity: 'INFO',
          event: 'depends_on_blocked',
          fields: { blockedBy: [`o2 (${status})`] },
        },
      ]);
      expect(selectIn({ run }).selected).toMatchObject({ reason: 'nothing-eligible' });
      for (const request of [NAMED, {}]) {
        const forced = { ...request, ignoreDependencies: true };
        expect(selectIn({ run, request: forced }).selected).toMatchObject({ entry: 'fresh' });
      }
    },
  );

  test.each([['gone'], ['__proto__'], ['constructor'], [7], [null]])(
    'that are nowhere (%j) block, except where absence is tolerated for a named step',
    (dependency) => {
      const run = ready([dependency]);
      expect(selectIn({ run, request: NAMED }).selected).toMatchObject({
        reason: 'blocked',
        message: `step a is blocked by ${JSON.stringify(dependency)} (not in the run)`,
      });
      const tolerant = { ...NAMED, tolerateAbsentDependencies: true };
      const { selected, events } = selectIn({ run, request: tolerant });
      expect(selected).toMatchObject({ entry: 'fresh' });
      expect(events).toMatchObject([{ severity: 'WARNING', event: 'depends_on_blocked' }]);
      const unnamed = { tolerateAbsentDependencies: true };
      expect(selectIn({ run, request: unnamed }).selected).toMatchObject({
        reason: 'nothing-eligible',
      });
    },
  );

  test('that are no list block', () => {
    expect(selectIn({ run: ready('o1'), request: NAMED }).selected).toMatchObject({
      reason: 'blocked',
    });
  });

  test('block a takeover and a replay as well', () => {
    const run = (status: string) => runOf({ a: step({ status, dependsOn: ['o1'] }), o1: {} });
    const blocked = { reason: 'blocked' };
    expect(
      selectIn({ run: run('RUNNING'), request: NAMED, leases: RELEASED }).selected,
    ).toMatchObject(blocked);
    expect(selectIn({ run: run('FAILED'), request: REPLAY }).selected).toMatchObject(blocked);
  });
});

describe('without a named step', () => {
  test('the first eligible one by code unit is taken', () => {
    const run = runOf({
      ä: step(),
      b: step(),
      a: step(),
      B: step({ status: 'PENDING' }),
      A: { ...step(), stepType: 'LLM_REPORT' },
      Z: step(),
    });
    expect(selectIn({ run }).selected).toMatchObject({ stepId: 'Z', entry: 'fresh' });
  });

  test('a takeover comes before a fresh step of a later name', () => {
    const run = runOf({ b: step(), a: step({ status: 'RUNNING' }) });
    expect(selectIn({ run, leases: RELEASED }).selected).toMatchObject({
      stepId: 'a',
      entry: 'takeover',
    });
    expect(selectIn({ run, leases: LIVE }).selected).toMatchObject({ stepId: 'b' });
  });

  test('ids that are not allowed are passed over with a warning', () => {
    const hostile = ['../x', 'a/b', '__proto__', 'constructor', '.a', ''];
    const steps: JsonObject = JSON.parse(
      `{${[...hostile, 'z'].map((id) => `${JSON.stringify(id)}: ${JSON.stringify(step())}`).join()}}`,
    );
    const { selected, events } = selectIn({ run: runOf(steps) });
    expect(selected).toMatchObject({ stepId: 'z', entry: 'fresh' });
    expect(events.map(({ severity, event }) => `${severity} ${event}`)).toEqual(
      hostile.map(() => 'WARNING step_id_passed_over'),
    );
  });

  test('a replay takes the only step, and asks for a name where there are several', () => {
    const done = step({ status: 'SUCCEEDED' });
    const replay = { replay: true };
    const report = { stepType: 'LLM_REPORT', status: 'SUCCEEDED' };
    expect(selectIn({ run: runOf({ a: done, report }), request: replay }).selected).toMatchObject({
      stepId: 'a',
      entry: 'replay',
    });
    expect(selectIn({ run: runOf({ b: done, a: done }), request: replay }).selected).toMatchObject({
      reason: 'misconfigured',
      message: expect.stringMatching(/--step-id: a, b$/),
    });
    expect(selectIn({ run: runOf({ report }), request: replay }).selected).toMatchObject({
      reason: 'nothing-eligible',
    });
  });

  test('the shortlist holds every step that may be selected', () => {
    const statuses = fc.constantFrom('READY', 'RUNNING', 'PENDING', 'SUCCEEDED', 'FAILED');
    const dependsOn = fc.constantFrom([], ['done'], ['pending'], ['gone']);
    const standing = fc.constantFrom(undefined, LIVE.a, RELEASED.a, DONE.a);
    const rows = fc.dictionary(
      fc.constantFrom('a', 'b', 'C', 'd'),
      fc.record({ status: statuses, dependsOn, lease: standing }),
    );
    const flags = fc.record({ replay: fc.boolean(), ignoreDependencies: fc.boolean() });
    fc.assert(
      fc.property(rows, flags, (steps, request) => {
        const run = runOf({
          ...Object.fromEntries(
            Object.entries(steps).map(([id, { lease: _, ...fields }]) => [id, step(fields)]),
          ),
          done: { status: 'SUCCEEDED' },
          pending: { status: 'PENDING' },
        });
        const short = shortlist(run, stepRequest(request));
        const leases = Object.fromEntries(
          Object.entries(steps).flatMap(([id, { lease }]) => (lease ? [[id, lease]] : [])),
        );
        const { selected } = selectIn({ run, request, leases });
        if ('entry' in selected) expect(short).toContain(selected.stepId);
      }),
    );
  });
});
