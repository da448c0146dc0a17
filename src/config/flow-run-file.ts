import type { Readable } from 'node:stream';
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { readJsonFile } from './json-file.js';

export type FlowRunFile =
  | { readonly ok: true; readonly document: JsonObject }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a flow run from a file, or from stdin for `-`. What is wrong is one line that names the
 * place. Rejects only when `signal` aborts: a pipe may never end.
 */
export async function readFlowRunFile(
  path: string,
  from: { readonly stdin: Readable },
  signal: AbortSignal,
): Promise<FlowRunFile> {
  const file = await readJsonFile(path, from, signal);
  if (!file.ok) return refuse(file.what);
  if (!isJsonObject(file.value)) return refuse(`holds ${kindOf(file.value)}, not a JSON object`);
  return { ok: true, document: file.value };

  function refuse(what: string): FlowRunFile {
    return { ok: false, message: `flow run ${path === '-' ? 'stdin' : path} ${what}` };
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
