import { describe, expect, test } from 'vitest';
import { EVERYWHERE } from '../support/fake-gcloud/command.js';
import { COMMANDS } from '../support/fake-gcloud/commands.js';
import { flagsOf, whyNoGcloud } from '../support/gcloud-tree.js';

describe.skipIf(whyNoGcloud)(`the fake gcloud takes what the real one takes ${whyNoGcloud}`, () => {
  test.for(COMMANDS)('$path', ({ path, flags }) => {
    const real = flagsOf(path);
    expect(real).toBeDefined();
    const unknown = Object.keys({ ...flags, ...EVERYWHERE }).filter((flag) => !real?.has(flag));
    expect(unknown).toEqual([]);
  });

  test('and would notice what it does not', () => {
    expect(flagsOf('storage buckets invent')).toBeUndefined();
    expect(flagsOf('storage buckets create')?.has('--public-read')).toBe(false);
  });
});
