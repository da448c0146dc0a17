/** Shorter ones are samples: to mask every `x` of a text would only shred it. */
export const SHORTEST_KEY = 8;

/** Masks the loaded keys in a text by value. */
export type Redactor = (text: string) => string;

/**
 * The one place where keys are masked: as they are, quoted in JSON, URL- and form-encoded, and in
 * base64 and base64url, padded or not. The second line of defence: no code of ours puts a key into
 * a text.
 */
export function redactorFor(keys: readonly string[]): Redactor {
  const forms = keys.filter((key) => key.length >= SHORTEST_KEY).flatMap(formsOf);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  // Nearly no text holds one: a single search tells, where ten keys would be fifty.
  const any = new RegExp(longestFirst.map(escaped).join('|') || '(?!)');
  return (text) =>
    any.test(text)
      ? longestFirst.reduce((masked, form) => masked.replaceAll(form, '[key]'), text)
      : text;
}

/** Every string in a JSON value, masked; the shape stays. */
export function redactJson(value: unknown, redact: Redactor): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((entry) => redactJson(entry, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [redact(name), redactJson(entry, redact)]),
  );
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function formsOf(key: string): string[] {
  const base64 = Buffer.from(key).toString('base64');
  const bare = base64.replaceAll('=', '');
  const url = bare.replaceAll('+', '-').replaceAll('/', '_');
  const encoded = [encodeURIComponent(key), new URLSearchParams([['', key]]).toString().slice(1)];
  return [
    key,
    JSON.stringify(key).slice(1, -1),
    ...encoded,
    ...encoded.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase())),
    base64,
    bare,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
    url,
  ];
}
