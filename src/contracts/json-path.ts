/** A path for messages, one step on: `a`, `a.b`, `a[0]`, `a["b c"]`; '' is the document itself. */
export function childPath(path: string, segment: string | number): string {
  if (/^[0-9]+$/.test(String(segment))) return `${path}[${segment}]`;
  const key = String(segment);
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
