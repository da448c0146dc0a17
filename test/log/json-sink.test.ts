import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, jsonSink } from '../../src/log/json-sink.js';
import { type LogEvent, Logger, type Severity } from '../../src/log/logger.js';
import { redactorFor } from '../../src/log/redact.js';

const NOW = new Date('2025-12-21T12:00:00.000Z');

function sinkTo(lines: string[], keys: readonly string[] = []) {
  return jsonSink({
    write: (line) => lines.push(line),
    redact: redactorFor(keys),
    env: 'test',
    now: () => NOW,
  });
}

function event(message: string, fields: LogEvent['fields'] = {}): LogEvent {
  return { severity: 'INFO', event: 'core_start', message, fields };
}

/** What could end a line, or a JSON text. */
const texts = fc.string({
  unit: fc.constantFrom('a', '\n', '\r', '"', '\\', '\0', '\u2028', '\ud800', 'é'),
});

describe('a log line', () => {
  test('is what Cloud Logging reads, with the scope of its logger', () => {
    const lines: string[] = [];
    const logger = new Logger(sinkTo(lines), { runId: 'r', stepId: 'outer' }).with({ stepId: 'a' });
    const error = { code: 'CHART_API_FAILED', message: 'no', details: { httpStatus: 422 } };
    logger.error('chart_failed', 'it failed', { error });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toStrictEqual({
      severity: 'ERROR',
      time: '2025-12-21T12:00:00.000Z',
      event: 'chart_failed',
      message: 'it failed',
      service: 'worker-chart-export',
      env: 'test',
      runId: 'r',
      stepId: 'a',
      error,
    });
  });

  test('is one for each event, whatever it holds', () => {
    fc.assert(
      fc.property(
        texts,
        fc.dictionary(
          texts.map((name) => `x${name}`),
          fc.oneof(texts, fc.jsonValue({ maxDepth: 2 })),
          { maxKeys: 4 },
        ),
        (message, fields) => {
          const lines: string[] = [];
          sinkTo(lines)(event(message, fields));
          expect(lines).toHaveLength(1);
          expect(lines[0]).toMatch(/^[^\n\r]+\n$/);
          expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'core_start' });
        },
      ),
    );
  });
});

describe('a key', () => {
  const keys = fc
    .string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 30 })
    .map((text) => text.replaceAll(' ', '+'));

  test('is in no line, wherever it stood and in whatever form', () => {
    fc.assert(
      fc.property(keys, fc.string({ maxLength: 12 }), (key, around) => {
        const base64 = Buffer.from(key).toString('base64');
        const bare = base64.replaceAll('=', '');
        const forms = [
          key,
          encodeURIComponent(key),
          base64,
          bare,
          Buffer.from(key).toString('base64url'),
        ];
        const lines: string[] = [];
        const sink = sinkTo(lines, [key]);
        for (const form of forms) {
          const text = `${around}${form}${around}`;
          sink(
            event(text, {
              value: form,
              [form]: 1,
              nested: [{ [text]: { list: [[text], { deep: form }] } }],
              url: `https://example.org/?key=${form}&b=1`,
            }),
          );
        }
        expect(lines).toHaveLength(forms.length);
        const texts = lines.flatMap((line) => [line, ...stringsIn(JSON.parse(line))]);
        const leaks = texts.filter((text) => forms.some((form) => text.includes(form)));
        expect(leaks).toEqual([]);
      }),
    );
  });
});

describe('the threshold', () => {
  const severities: readonly Severity[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR'];

  test.each(severities.map((severity, n) => [severity, severities.slice(n)] as const))(
    '%s lets pass %j',
    (threshold, passed) => {
      const events: LogEvent[] = [];
      const logger = new Logger(atLeast(threshold, (one) => events.push(one)));
      logger.error('core_start', 'e');
      logger.warn('core_start', 'w');
      logger.info('core_start', 'i');
      logger.debug('core_start', 'd');
      expect(events.map(({ severity }) => severity).reverse()).toEqual(passed);
    },
  );
});

/** Every name and text in a JSON value. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(stringsIn)];
}
