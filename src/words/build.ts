import type { UserId } from '../domain/ids.ts';
import type { Block, Inline, Line } from './document.ts';

/** Text that stands out. */
export function strong(text: string): Inline {
  return { kind: 'strong', text };
}

/** Text to copy as it stands: a command, an id. */
export function code(text: string): Inline {
  return { kind: 'code', text };
}

/** A person. */
export function pill(userId: UserId): Inline {
  return { kind: 'pill', userId };
}

/** A line from a template: pieces and whole lines may stand in it. */
export function line(strings: TemplateStringsArray, ...values: readonly (Inline | Line)[]): Line {
  const pieces = strings.flatMap((text, index): Line => {
    const value = values[index];
    if (value === undefined) return [text];
    return typeof value === 'string' || !Array.isArray(value) ? [text, value as Inline] : [text, ...value];
  });
  return pieces.filter((piece) => piece !== '');
}

/** Several lines as one, with a space between them. */
export function spaced(...lines: readonly Line[]): Line {
  return lines
    .filter((each) => each.length > 0)
    .flatMap((each, index): Line => (index === 0 ? each : [' ', ...each]));
}

/** A paragraph of one line. */
export function paragraph(content: Line): Block {
  return { kind: 'paragraph', line: content };
}

/** A list; one point each. */
export function list(...items: readonly Line[]): Block {
  return { kind: 'list', items };
}

/** A block of text to copy, alone on its lines. */
export function block(text: string): Block {
  return { kind: 'block', text };
}

/** `a`, `a and b`, `a, b and c`. */
export function joined(items: readonly Line[], last = 'and'): Line {
  return items.flatMap((item, index): Line => {
    if (index === 0) return item;
    return [index === items.length - 1 ? ` ${last} ` : ', ', ...item];
  });
}
