import type { Segment } from './segments.ts';

/**
 * Whether the plain text of a message says what its HTML says. Compared are letters, digits and the marks of
 * identifiers: the rest is what Markdown adds and takes away. A link may stand in the plain text as its text,
 * as its address, as both, or as what it names.
 */
export function saysTheSame(
  body: string,
  segments: readonly Segment[],
  nameOf: (target: string) => string | null,
): boolean {
  const plain = essence(body);
  let ends = new Set([0]);
  for (const segment of segments) {
    const next = new Set<number>();
    for (const form of formsOf(segment, nameOf))
      for (const end of ends) if (plain.startsWith(form, end)) next.add(end + form.length);
    if (next.size === 0) return false;
    ends = next;
  }
  return ends.has(plain.length);
}

function formsOf(
  { seen, target, isPicture }: Segment,
  nameOf: (target: string) => string | null,
): ReadonlySet<string> {
  const shown = essence(seen);
  if (target === null) return new Set([shown]);
  const addresses = [essence(target), essence(decoded(target))];
  const forms = [
    shown,
    essence(nameOf(target) ?? seen),
    ...addresses,
    ...addresses.map((address) => shown + address),
  ];
  return new Set(isPicture ? [...forms, ''] : forms);
}

function essence(text: string): string {
  return text.normalize('NFKC').replace(/[^\p{L}\p{N}\p{M}@:.]/gu, '');
}

function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
