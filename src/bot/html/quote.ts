/**
 * Takes off what older clients quote before a reply (Client-Server API before 1.13, "Fallbacks for rich
 * replies").
 */
export function stripQuoteFallback(body: string): string {
  const lines = body.split('\n');
  const first = lines.findIndex((line) => !line.startsWith('> ') && line !== '>');
  if (first <= 0) return body;
  return lines.slice(lines[first] === '' ? first + 1 : first).join('\n');
}
