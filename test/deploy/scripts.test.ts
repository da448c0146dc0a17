import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { whyNoShellcheck } from '../support/shellcheck.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const files = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  {
    cwd: REPOSITORY,
    encoding: 'utf8',
  },
).split('\0');
const SHELL = /^#!.*\b(?:ba)?sh\b|^# shellcheck shell=/;
const scripts = files.filter(
  (file) =>
    /^(\.ci|deploy|bin)\/[^.]+(\.sh)?$/.test(file) &&
    SHELL.test(readFileSync(join(REPOSITORY, file), 'utf8')),
);

test('every script is found', () => {
  expect(scripts).toEqual(
    expect.arrayContaining(['.ci/run', 'deploy/deploy.sh', 'deploy/lib.sh', 'deploy/stage.sh']),
  );
});

describe.skipIf(whyNoShellcheck)(`shellcheck ${whyNoShellcheck}`, () => {
  test.for(scripts)('has nothing to say about %s', (script) => {
    const { status, stdout, stderr } = spawnSync('shellcheck', ['--external-sources', script], {
      cwd: REPOSITORY,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });

  test('would have something to say', () => {
    const input = '#!/bin/bash\nrm -rf $1/*\n';
    const { status } = spawnSync('shellcheck', ['-'], { input });
    expect(status).toBe(1);
  });
});
