import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** What the Google libraries, which are CommonJS, expect to find in a module. */
const COMMONJS = [
  "import { createRequire as cjsRequire } from 'node:module';",
  "import { dirname as cjsDirname } from 'node:path';",
  "import { fileURLToPath as cjsPath } from 'node:url';",
  'const require = cjsRequire(import.meta.url);',
  'const __filename = cjsPath(import.meta.url);',
  'const __dirname = cjsDirname(__filename);',
].join('');

/**
 * A TypeScript program as one JavaScript file, made once for each test file that starts it: a
 * process that compiles itself needs four times as long to start, and these tests start hundreds.
 */
export function bundled(entry: URL): string {
  const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${basename(fileURLToPath(entry), '.ts')}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    banner: { js: COMMONJS },
    logLevel: 'silent',
  });
  return outfile;
}
