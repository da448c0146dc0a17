import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { ProviderAnswer } from '../../../src/chart-img/chart-provider.js';
import { KEY } from './sample-chart.js';

/** In none of the ways in which Node prints a value, nor in its bytes. */
export function expectNoKey(value: unknown): void {
  const texts = [
    inspect(value, { depth: 20, showHidden: true, maxStringLength: null }),
    JSON.stringify(value) ?? '',
    String(value),
    ...(value instanceof Error ? [value.message, value.stack ?? ''] : []),
    ...(isAnswer(value) ? [value.body.toString('latin1')] : []),
  ];
  const forms = [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString('base64').slice(0, -4)];
  for (const form of forms) {
    expect(texts.filter((text) => text.includes(form))).toEqual([]);
  }
}

function isAnswer(value: unknown): value is Extract<ProviderAnswer, { kind: 'answer' }> {
  return typeof value === 'object' && value !== null && 'body' in value;
}
