import type { Random } from '../../fuzz/random.ts';

/** JSON that stands in the text as it is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON text that readers and writers rarely make: with white space, escapes, keys that come twice. */
export function textOf(value: unknown, random: Random, oddity: number): string {
  const space = (): string => (random.chance(oddity) ? random.pick([' ', '\n', '\t \r', '  ']) : '');
  const string = (text: string): string => {
    const json = JSON.stringify(text);
    if (!random.chance(oddity) || text === '') return json;
    const at = random.int(text.length);
    const escaped = `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
    const rest = (part: string): string => JSON.stringify(part).slice(1, -1);
    return `"${rest(text.slice(0, at))}${escaped}${rest(text.slice(at + 1))}"`;
  };
  const write = (inner: unknown): string => {
    if (inner instanceof Raw) return inner.text;
    if (typeof inner === 'string') return string(inner);
    if (Array.isArray(inner)) return `[${inner.map((one) => space() + write(one) + space()).join(',')}]`;
    if (typeof inner !== 'object' || inner === null) return JSON.stringify(inner) ?? 'null';
    const members: (readonly [string, unknown])[] = Object.entries(inner);
    if (members.length > 0 && random.chance(oddity / 2)) members.push(random.pick(members));
    if (members.length > 1 && random.chance(oddity / 2))
      members.splice(random.int(members.length), 0, [random.pick(members)[0], random.pick(members)[1]]);
    if (random.chance(0.05)) members.reverse();
    return `{${members.map(([key, one]) => `${space()}${string(key)}${space()}:${space()}${write(one)}${space()}`).join(',')}}`;
  };
  return space() + write(value) + space();
}
