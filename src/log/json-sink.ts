import type { LogEvent, LogSink, Severity } from './logger.js';
import { type Redactor, redactJson } from './redact.js';

const RANK: Readonly<Record<Severity, number>> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 };

/** One JSON object a line, in the fields that Cloud Logging reads. */
export function jsonSink(options: {
  readonly write: (line: string) => void;
  readonly redact: Redactor;
  readonly env: string;
  readonly now: () => Date;
}): LogSink {
  return ({ severity, event, message, fields }) => {
    const line = {
      severity,
      time: options.now().toISOString(),
      event,
      message,
      service: 'worker-chart-export',
      env: options.env,
      ...fields,
    };
    options.write(`${JSON.stringify(redactJson(line, options.redact))}\n`);
  };
}

/** Passes on what is at least this severe. */
export function atLeast(severity: Severity, sink: LogSink): LogSink {
  return (event: LogEvent) => {
    if (isAtLeast(severity, event.severity)) sink(event);
  };
}

export function isAtLeast(least: Severity, severity: Severity): boolean {
  return RANK[severity] >= RANK[least];
}
