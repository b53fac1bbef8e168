import type { UserId } from '../domain/ids.ts';

/** A piece of a line. A `pill` names a person; it rings only where the message mentions them too. */
export type Inline =
  | string
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'pill'; readonly userId: UserId };

/** A line: pieces that follow one another. */
export type Line = readonly Inline[];

/** A paragraph, a list, a block to copy, or a table. */
export type Block =
  | { readonly kind: 'paragraph'; readonly line: Line }
  | { readonly kind: 'list'; readonly items: readonly Line[] }
  | { readonly kind: 'block'; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly Line[])[] };

/** What people read: one tree, rendered to HTML and to plain text. */
export type Document = readonly Block[];
