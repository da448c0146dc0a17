/** Rounded up: what is there is never 0 kB. */
export function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000)} kB`;
}
