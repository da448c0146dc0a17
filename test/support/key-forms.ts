/** A key as it is, and in each disguise in which it could leave. */
export function formsOf(key: string): string[] {
  const base64 = Buffer.from(key).toString('base64');
  const base64url = Buffer.from(key).toString('base64url');
  return [key, encodeURIComponent(key), base64, base64.replace(/=+$/, ''), base64url];
}
