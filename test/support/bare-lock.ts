import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { link, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisProcess } from '../../src/local-disk/process-identity.js';
import { WorkspaceLock } from '../../src/local-disk/workspace-lock.js';

const nameplates = mkdtempSync(join(tmpdir(), 'nameplates-'));
process.once('exit', () => rmSync(nameplates, { recursive: true }));

/** The lock of a workspace in the system's temporary folder, without the workspace. */
export function bareLock(root: string): WorkspaceLock {
  const nonce = randomUUID();
  return new WorkspaceLock(root, { ...thisProcess(), nonce }, join(nameplates, nonce));
}

/** A link as its holder left it, whole at once; rejects with EEXIST where there is one. */
export async function plantLink(path: string, holder: string): Promise<void> {
  const file = join(nameplates, randomUUID());
  await writeFile(file, holder);
  try {
    await link(file, path);
  } finally {
    await unlink(file);
  }
}
