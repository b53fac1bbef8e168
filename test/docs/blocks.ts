import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the clone. */
export const ROOT = join(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** The page, as seen from the root: `docs/admin.md`. */
  page: string;
  /** The line of the fence, for errors. */
  line: number;
  language: string;
  /** What stands behind the language: `dm`, a file's name. */
  about: string;
  text: string;
  /** Why it is not run; null where it is. */
  notRun: string | null;
}

const FENCE = /^(\s*)```(\S*) *(.*)$/;
const NOT_RUN = /^<!-- not run: (.+) -->$/;

/** All fenced blocks of a page, in their order. */
export function blocksOf(page: string): Block[] {
  const lines = textOf(page).split('\n');
  const blocks: Block[] = [];
  let open: (Block & { indent: string }) | null = null;
  let before = '';
  for (const [index, line] of lines.entries()) {
    const fence = FENCE.exec(line);
    if (open !== null) {
      if (fence !== null && fence[2] === '') {
        const { indent: _, ...block } = open;
        blocks.push(block);
        open = null;
        before = '';
      } else open.text += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`;
      continue;
    }
    if (fence !== null) {
      const [, indent = '', language = '', about = ''] = fence;
      open = {
        page,
        line: index + 1,
        language,
        about: about.trim(),
        text: '',
        notRun: NOT_RUN.exec(before)?.[1] ?? null,
        indent,
      };
    }
    if (line.trim() !== '') before = line.trim();
  }
  return blocks;
}

/** README.md, CONTRIBUTING.md and everything in docs/, as seen from the root. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)].toSorted();
}

/** A page's text. */
export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** A page without its fenced blocks. */
export function proseOf(page: string): string {
  return textOf(page).replaceAll(/^(\s*)```[\s\S]*?^\s*```$/gm, '');
}

/** What is said to come back: behind `→`, or `# →` in a shell. */
export function expectations(text: string): string[] {
  return [...text.matchAll(/^(?:# )?→ (.+)$/gm)].map(([, said = '']) => said);
}

/** Whether a text has what was said in it; `…` stands for anything, and blanks for blanks. */
export function says(text: string, said: string): boolean {
  const pieces = said.split('…').map((piece) => piece.trim().split(/\s+/).map(escaped).join('\\s+'));
  return new RegExp(pieces.join('[\\s\\S]*?')).test(text);
}

function escaped(word: string): string {
  return word.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
