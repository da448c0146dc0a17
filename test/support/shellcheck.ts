import { spawnSync } from 'node:child_process';

const found = spawnSync('shellcheck', ['--version']).status === 0;
if (!found && process.env.REQUIRE_SHELLCHECK === '1') {
  throw new Error('shellcheck is missing, and REQUIRE_SHELLCHECK=1 asks for it');
}

/** For the name of a suite that is skipped without it; empty: it runs. */
export const whyNoShellcheck = found ? '' : 'SKIPPED: no shellcheck on the PATH';
