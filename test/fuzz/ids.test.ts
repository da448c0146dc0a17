import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isChartTemplateId, isRunId, isStepId, isSymbol } from '../../src/contracts/ids.js';
import { fuzz, HOSTILE } from './fuzz.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ALPHANUMERIC = LETTERS + LETTERS.toLowerCase() + DIGITS;

/** The design's allow-lists, once more and without a regular expression. */
const ORACLES = {
  isStepId: (text: string) =>
    text.length <= 200 && in1(text, ALPHANUMERIC) && only(text.slice(1), `${ALPHANUMERIC}:._-`),
  isChartTemplateId: (text: string) =>
    text.length <= 80 && in1(text, ALPHANUMERIC) && only(text.slice(1), `${ALPHANUMERIC}_-`),
  isSymbol: (text: string) => {
    const trimmed = text.trim();
    return trimmed !== '' && trimmed.length <= 40 && only(trimmed, `${ALPHANUMERIC}._!&-`);
  },
  isRunId: (text: string) => {
    const [stamp = '', names = '', suffix = '', ...more] = text.split('_');
    const [day = '', time = '', ...rest] = stamp.split('-');
    return (
      text.length <= 100 &&
      more.length + rest.length === 0 &&
      day.length === 8 &&
      time.length === 6 &&
      only(day + time, DIGITS) &&
      names.split('-').every((name) => name !== '' && only(name, LETTERS + DIGITS)) &&
      suffix.length >= 3 &&
      suffix.length <= 6 &&
      only(suffix, LETTERS.toLowerCase() + DIGITS)
    );
  },
} as const;

const CHECKS = { isStepId, isChartTemplateId, isSymbol, isRunId } as const;

function in1(text: string, allowed: string): boolean {
  return text !== '' && allowed.includes(text.charAt(0));
}

function only(text: string, allowed: string): boolean {
  return [...text].every((character) => allowed.includes(character));
}

/** Near the allow-lists, so that what is accepted is met as well. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'aZ0:._-!&/\\ \n%'), maxLength: 10 }),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,20}$/),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{195,203}$/),
  fc.stringMatching(/^[A-Za-z0-9_-]{78,82}$/),
  fc.stringMatching(/^[A-Z.!&_-]{38,42}$/),
  fc.stringMatching(/^[0-9]{8}-[0-9]{6}_[A-Z0-9]{1,5}(-[A-Z0-9]{0,3}){0,2}_[a-z0-9]{2,7}$/),
  fc.constantFrom(...HOSTILE.filter((value) => typeof value === 'string')),
  fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype)),
);

test.for(Object.keys(CHECKS) as (keyof typeof CHECKS)[])('%s', async (name, context) => {
  const accepted = new Set<boolean>();
  await fuzz(context, 1_000, texts, (text) => {
    const wanted = ORACLES[name](text) && !(text in {});
    accepted.add(wanted);
    expect(CHECKS[name](text), JSON.stringify(text)).toBe(wanted);
  });
  expect([...accepted].sort()).toEqual([false, true]);
});
