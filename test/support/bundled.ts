import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/**
 * A TypeScript program as one JavaScript file, made once for each test file that starts it: a
 * process that compiles itself needs four times as long to start, and these tests start hundreds.
 */
export function bundled(entry: URL): string {
  const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const here = JSON.stringify(entry.href);
  const outfile = join(folder, `${basename(fileURLToPath(entry), '.ts')}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    // Packages and fixtures are found as from the source; the Google libraries are CommonJS.
    define: { 'import.meta.url': here, 'import.meta.dirname': '__dirname' },
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(${here}); const __dirname = require('node:path').dirname(require('node:url').fileURLToPath(${here}));`,
    },
    logLevel: 'silent',
  });
  return outfile;
}
