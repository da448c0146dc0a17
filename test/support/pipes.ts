import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Named pipes, which tell whoever reads them nothing until somebody writes. */
export async function makePipes(paths: readonly string[]): Promise<void> {
  await promisify(execFile)('mkfifo', paths);
}

/** Preloaded: a program says when it has opened a path that ends in `pipe`, which waits for nobody. */
export const SAY_PIPE_OPENED = `data:text/javascript,${encodeURIComponent(`
  import fs from 'node:fs';
  const { openSync } = fs;
  fs.openSync = (path, ...more) => {
    const fd = openSync(path, ...more);
    if (String(path).endsWith('pipe')) process.stderr.write('{"event":"pipe_opened"}\\n');
    return fd;
  };
`)}`;
