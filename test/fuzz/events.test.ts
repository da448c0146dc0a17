import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvent } from '../../src/cloud-event/flow-run-event.js';
import { malformedEvents, REASONS } from '../support/malformed-events.js';
import { binaryEvent, messageOf, structuredEvent } from '../support/saved-events.js';
import { anyJson, damaged, fuzz } from './fuzz.js';

const RUN_ID = '20251221-120000_BTCUSDT_fuzz';
const MALFORMED = malformedEvents(200, RUN_ID);

test('events are of ours, or ignored for a reason of the list', async (context) => {
  const [binary, structured] = [binaryEvent(RUN_ID), structuredEvent(RUN_ID)];
  const messages = fc.oneof(
    damaged([binary.headers]).map((headers) => ({ ...binary, headers: headersOf(headers) })),
    damaged([JSON.parse(String(structured.body))]).map((body) => ({
      ...structured,
      body: JSON.stringify(body) ?? '',
    })),
    anyJson().map((body) => ({ ...structured, body: JSON.stringify(body) ?? '' })),
    fc.nat(MALFORMED.length - 1).map((n) => MALFORMED[n]?.make().sent ?? {}),
    fc.constantFrom(binary, structured),
  );
  const seen = new Set<boolean>();
  await fuzz(context, 3_000, messages, (sent) => {
    const { event, facts } = readEvent(messageOf(sent));
    seen.add('runId' in event);
    if ('ignored' in event) expect(Object.values(REASONS)).toContain(event.ignored);
    else {
      expect(event.runId).toMatch(/^\d{8}-\d{6}_[A-Z0-9]+(-[A-Z0-9]+)*_[a-z0-9]{3,6}$/);
      expect(event.eventId.length).toBeLessThanOrEqual(200);
    }
    for (const fact of Object.values(facts)) expect(String(fact).length).toBeLessThanOrEqual(300);
  });
  expect([...seen].sort()).toEqual([false, true]);
});

/** What a server can be sent at all: names and values without a line break. */
function headersOf(headers: unknown): Record<string, string> {
  const entries = Object.entries(typeof headers === 'object' && headers !== null ? headers : {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name.toLowerCase(), textOf(value).replaceAll(/[\r\n]/g, ' ')]),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
