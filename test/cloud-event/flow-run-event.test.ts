import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EventMessage, readEvent } from '../../src/cloud-event/flow-run-event.js';
import { malformedEvents, REASONS } from '../support/malformed-events.js';
import {
  binaryEvent,
  messageOf,
  structuredEvent,
  structuredObject,
  subjectOf,
  UPDATED,
  WRITTEN,
} from '../support/saved-events.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const RUNS = 2_000;

/** As it arrives: Node joins what comes twice, except for the content type. */
const json = (value: unknown): EventMessage =>
  messageOf({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value) ?? '',
  });

describe('an event of ours', () => {
  const cases = [UPDATED, WRITTEN].flatMap((type) => [
    ['binary', type, messageOf(binaryEvent(RUN_ID, { id: 'e-1', type }))] as const,
    ['structured', type, messageOf(structuredEvent(RUN_ID, { id: 'e-1', type }))] as const,
    ['plain JSON', type, json(structuredObject(RUN_ID, { id: 'e-1', type }))] as const,
  ]);
  test.for(cases)('%s, %s', ([, eventType, message]) => {
    expect(readEvent(message)).toEqual({
      facts: { eventId: 'e-1', eventType, subject: subjectOf(RUN_ID) },
      event: { eventId: 'e-1', runId: RUN_ID },
    });
  });

  test('attributes in headers are decoded', () => {
    const { headers } = messageOf(binaryEvent(RUN_ID));
    const encoded = { ...headers, 'ce-subject': encodeURIComponent(subjectOf(RUN_ID)) };
    expect(readEvent({ headers: encoded, body: Buffer.of() }).event).toMatchObject({
      runId: RUN_ID,
    });
  });

  test('its data is not looked at', () => {
    const { headers } = messageOf(binaryEvent(RUN_ID));
    const withBody = (body: Uint8Array) => readEvent({ headers, body });
    expect(withBody(Buffer.from('{'))).toEqual(withBody(Buffer.of()));
  });

  test('an id may have 200 characters', () => {
    const id = 'i'.repeat(200);
    const { event } = readEvent(json(structuredObject(RUN_ID, { id })));
    expect(event).toEqual({ eventId: id, runId: RUN_ID });
  });
});

describe('whatever arrives', () => {
  const attribute = fc.oneof(
    fc.constantFrom('1.0', UPDATED, subjectOf(RUN_ID), 'e-1'),
    fc.string({ unit: 'binary' }),
    fc.jsonValue(),
    fc.constantFrom('%', '..', '__proto__', `${subjectOf(RUN_ID)}/x`, 'x'.repeat(1_000)),
  );
  const headers = fc.dictionary(
    fc.oneof(
      fc.constantFrom('ce-id', 'ce-type', 'ce-subject', 'ce-specversion', 'content-type', 'ce-'),
      fc.string(),
    ),
    fc.oneof(
      fc.constantFrom('application/json', 'application/cloudevents+json; charset="', '1.0'),
      fc.constantFrom(UPDATED, subjectOf(RUN_ID)),
      fc.string({ unit: 'binary' }),
      fc.array(fc.string(), { maxLength: 3 }),
    ),
    { noNullPrototype: false },
  );
  const body = fc.oneof(
    fc.uint8Array(),
    fc
      .record(
        { id: attribute, type: attribute, subject: attribute, specversion: attribute },
        { requiredKeys: [] },
      )
      .map((object) => Buffer.from(JSON.stringify(object))),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  );

  test('it is read without throwing, and accepted only when all of it is right', () => {
    let accepted = 0;
    fc.assert(
      fc.property(headers, body, (headers, body) => {
        const { facts, event } = readEvent({ headers, body });
        for (const fact of Object.values(facts)) expect((fact ?? '').length).toBeLessThan(301);
        if ('ignored' in event) {
          expect(Object.values(REASONS)).toContain(event.ignored);
          return;
        }
        accepted++;
        expect(facts).toMatchObject({
          eventType: expect.stringMatching(/\.v1\.(updated|written)$/),
        });
        expect(facts.subject).toBe(subjectOf(event.runId));
        expect(event.runId).toBe(RUN_ID);
        expect(event.eventId.length).toBeGreaterThan(0);
        expect(event.eventId.length).toBeLessThan(201);
      }),
      { numRuns: RUNS, seed: 5 },
    );
    expect(accepted).toBeLessThan(RUNS / 10);
  });

  test('one attribute that is wrong is enough', () => {
    const right = structuredObject(RUN_ID, { id: 'e-1' });
    const names = ['id', 'type', 'subject', 'specversion'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        const { event } = readEvent(json({ ...right, [name]: value }));
        const isRight =
          value === right[name] ||
          (name === 'type' && value === WRITTEN) ||
          (name === 'id' && typeof value === 'string' && value !== '' && value.length <= 200);
        expect('runId' in event).toBe(isRight);
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });

  // The server's own test sends a share of them.
  test('the malformed events are ignored, each with its reason', () => {
    for (const { kind, make } of malformedEvents(2_000, RUN_ID)) {
      if (kind.startsWith('a huge')) continue;
      const { sent, reason } = make();
      const { event } = readEvent(messageOf(sent));
      expect([kind, event]).toEqual([kind, { ignored: REASONS[reason] }]);
    }
  });
});
