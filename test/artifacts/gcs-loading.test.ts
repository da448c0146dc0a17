import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
/** Types are gone once compiled, and `await import(…)` loads when it is reached. */
const STATIC = /^\s*(?:import|export)\s(?!type\b)[^;]*?['"]([^'"]+)['"]/gm;

test('the Storage client is loaded by its own folder alone, and that folder late', async () => {
  const offenders: string[] = [];
  let seen = 0;
  for (const file of await readdir(SRC, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const own = file.replaceAll('\\', '/').startsWith('artifacts/gcs/');
    for (const [, target = ''] of (await readFile(join(SRC, file), 'utf8')).matchAll(STATIC)) {
      const loads = target === '@google-cloud/storage' || target.includes('/gcs/');
      if (loads && own) seen++;
      if (loads && !own) offenders.push(`${file} → ${target}`);
    }
  }
  expect(offenders).toEqual([]);
  expect(seen).toBe(1);
});
