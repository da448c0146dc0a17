import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/engine/outcome.js';
import { EXPLAINED_CODES, explain } from '../../src/report/remedies.js';

const CODES: Readonly<Record<ErrorCode, RegExp>> = {
  VALIDATION_FAILED: /chart template/,
  CHART_API_FAILED: /message/,
  CHART_API_LIMIT_EXCEEDED: /00:00 UTC/,
  CHART_API_MOCK_MISSING: /--fixtures-dir/,
  GCS_WRITE_FAILED: /written/,
  MANIFEST_WRITE_FAILED: /written/,
  WORKER_LEASE_LOST: /logs/,
  INTERNAL_ERROR: /Report it/,
};

describe('every error code has words and a remedy', () => {
  test.each(Object.entries(CODES))('%s', (code, remedy) => {
    const explanation = explain({ code, message: 'm' });
    expect(explanation.title).toMatch(/^[A-Z].{10,}[^.]$/);
    expect(explanation.remedy).toMatch(remedy);
    expect(explanation.remedy).toMatch(/--replay/);
  });

  test('of its own', () => {
    const titles = EXPLAINED_CODES.map((code) => explain({ code, message: 'm' }).title);
    expect(new Set(titles).size).toBe(Object.keys(CODES).length);
  });
});

test.each(['NEW_CODE', '', 'constructor', '__proto__', 'toString'])(
  'a code that is not known has words, too: %j',
  (code) => {
    const { title, remedy } = explain({ code, message: 'm' });
    expect(title).toMatch(/does not know/);
    expect(remedy).toMatch(/message/);
  },
);

test.each([
  [401, /apiKey/],
  [403, /plan is large enough/],
  [404, /same way each time/],
  [422, /same way each time/],
  [429, /Wait/],
  [500, /Wait/],
  [503, /Wait/],
  [200, /Wait/],
  ['422', /Follow the message/],
  [undefined, /Follow the message/],
])('CHART_API_FAILED after HTTP %s', (httpStatus, remedy) => {
  expect(
    explain({ code: 'CHART_API_FAILED', message: 'm', details: { httpStatus } }).remedy,
  ).toMatch(remedy);
});

test('at the deadline more time helps, whatever came last', () => {
  const details = { reason: 'deadline', httpStatus: 422 };
  const late = explain({ code: 'CHART_API_FAILED', message: 'm', details });
  expect(late.remedy).toMatch(/--timeout/);
  const rushed = explain({ code: 'CHART_API_LIMIT_EXCEEDED', message: 'm', details });
  expect(rushed.remedy).toMatch(/requestsPerSecond/);
});
