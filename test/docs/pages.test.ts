import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/app/command-line/commands.ts';
import { findCommand } from '../../src/app/command-line/find-command.ts';
import { parseFlags } from '../../src/app/command-line/parse-flags.ts';
import { commandsOf, operatorCommands } from '../../src/bot/commands/index.ts';
import { parseArguments } from '../../src/bot/parse-arguments.ts';
import { tokenize } from '../../src/bot/tokenizer.ts';
import type { Said } from '../demo/picture/conversation.ts';
import { conversationSvg } from '../demo/picture/svg.ts';
import { blocksOf, pages, proseOf, ROOT, says, textOf } from './blocks.ts';

/** Those that `real/pages.test.ts` types. */
const TYPED = ['README.md', 'docs/admin.md', 'docs/holder.md', 'docs/operator.md', 'docs/subject.md'];
const RUN = new Set(['sh', 'chat', 'js', 'python']);
const blocks = pages().flatMap(blocksOf);
const typed = blocks.filter(({ page }) => TYPED.includes(page));

describe('the pages that are typed', () => {
  test('every block is run, or says why not', () => {
    const others = typed.filter(
      ({ language, about, notRun }) => !RUN.has(language) && about !== 'notice' && notRun === null,
    );
    expect(others.map(({ page, line }) => `${page}:${String(line)}`)).toEqual([]);
    const notRun = typed
      .filter((block) => block.notRun !== null)
      .map(({ page, notRun: why }) => `${page}: ${why ?? ''}`);
    expect(notRun).toEqual([
      'README.md: it is how the clone that the tests run from was made',
      'docs/operator.md: it would change the clone that the tests run from',
      'docs/operator.md: it would end the Mintwarden of this page; test/app/real/set-up-undo.test.ts runs it',
    ]);
    expect(typed.filter((block) => block.notRun === null).length).toBeGreaterThan(45);
  });

  test('every program is run by a line below it', () => {
    for (const { page, line, about } of typed.filter(
      ({ language }) => language === 'js' || language === 'python',
    )) {
      const runs = typed.some(
        (block) =>
          block.page === page &&
          block.line > line &&
          block.language === 'sh' &&
          block.text.includes(` ${about}`),
      );
      expect([about, runs]).toEqual([about, true]);
    }
  });

  test('what an answer is to say can be missing from it', () => {
    expect(says('Grant A is\nlive. It speaks', 'Grant … is live.')).toBe(true);
    expect(says('Grant A is live', 'Grant … is dead')).toBe(false);
    expect(says('a+b', 'a.b')).toBe(false);
  });
});

/** Lines of a shell, with lines that go on joined. */
function shellLines(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.trim());
}

/** The last call of a line: what stands before it may run as, in or under that name. */
const CALL = /^(?:.*[\s(])?(?:mintwarden|npm run mintwarden --|node src\/mintwarden\.mjs) ([a-z].+)$/;

/**
 * The words of a simple command, as a shell parts them; null where it is not simple, or an ellipsis stands
 * for something.
 */
function wordsOf(line: string): string[] | null {
  const call = CALL.exec(line.replace(/ #.*$/, ''))?.[1]
    ?.replace(/\)$/, '')
    .replace(/\s[>|&].*$/, '');
  if (call === undefined || /[…$<]/.test(call)) return null;
  return (call.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ''));
}

describe('all pages', () => {
  const shells = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ page, text }) => shellLines(text).map((line) => ({ page, line })));
  const inline = pages().flatMap((page) =>
    [...proseOf(page).matchAll(/`(mintwarden [^`]+)`/g)].map(([, line = '']) => ({ page, line })),
  );
  const calls = [...shells, ...inline].flatMap(({ page, line }) => {
    const words = wordsOf(line);
    return words === null || ['--version', '--help', 'COMMAND'].includes(words[0] ?? '')
      ? []
      : [{ page, line, words }];
  });

  test.each(calls)('$page: $line', ({ words }) => {
    const command = findCommand(words, COMMANDS);
    const rest = words.slice(command.name.split(' ').length);
    expect(parseFlags(command, rest.includes('--help') ? [] : rest)).toBeDefined();
  });

  const known = new Set(
    [...commandsOf('control'), ...commandsOf('dm'), ...operatorCommands([])].map(({ name }) => name),
  );
  const spoken = pages().flatMap((page) =>
    [...proseOf(page).matchAll(/`!([a-z]+)(?=[ `])([^`]*)`/g)].map(([, verb = '', rest = '']) => ({
      page,
      line: `!${verb}${rest}`,
      verb,
      rest,
    })),
  );

  test.each(spoken)('$page: $line', ({ verb, rest }) => {
    expect(known).toContain(verb);
    const command = commandsOf('control').find(({ name }) => name === verb);
    if (rest.trim() === '' || /[…<]/.test(rest) || command === undefined) return;
    expect(parseArguments(command, tokenize(rest.trim()))).toBeDefined();
  });

  const links = pages().flatMap((page) =>
    [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, to = '']) => ({ page, to }))
      .filter(({ to }) => !/^https?:/.test(to)),
  );

  test.each(links)('$page: the link to $to leads somewhere', ({ page, to }) => {
    const [path = '', anchor] = to.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    expect(existsSync(join(ROOT, file))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file)).toContain(anchor);
  });

  test('each page is in the index', () => {
    const index = textOf('docs/README.md');
    const missing = pages().filter(
      (page) =>
        !['README.md', 'docs/README.md'].includes(page) && !index.includes(`(${relative('docs', page)})`),
    );
    expect(missing).toEqual([]);
  });
});

describe('what pages name', () => {
  const code = pages().flatMap((page) =>
    [...proseOf(page).matchAll(/`([^`\s]+)`/g)]
      .map(([, text = '']) => ({ page, text }))
      .filter(({ text }) => !/NAME|[*…<]/.test(text)),
  );
  const files = globSync('{src,test}/**', { cwd: ROOT }).filter((file) => !file.includes('node_modules'));

  test.each(code.filter(({ text }) => /^(?:src|test|config|docs)\/|\.ts$/.test(text)))(
    '$page: $text is there',
    ({ text }) => {
      expect(existsSync(join(ROOT, text)) || files.some((file) => file.endsWith(`/${text}`))).toBe(true);
    },
  );

  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Readonly<Record<string, string>> };
  const runs = pages().flatMap((page) =>
    [...textOf(page).matchAll(/npm run ([a-z:]+)/g)].map(([, script = '']) => ({ page, script })),
  );

  test.each(runs)('$page: npm run $script is a script', ({ script }) => {
    expect(Object.keys(scripts)).toContain(script);
  });
});

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  const heads = [
    ...textOf(page)
      .replaceAll(/^```[\s\S]*?^```$/gm, '')
      .matchAll(/^#+ (.+)$/gm),
  ];
  return heads.map(([, head = '']) =>
    head
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

test('the picture is drawn from the conversation', () => {
  const read = (name: string) => readFileSync(join(ROOT, 'docs', name), 'utf8');
  const svg = conversationSvg(JSON.parse(read('conversation.json')) as Said[]);
  expect(svg === read('conversation.svg')).toBe(true);
  expect(svg).not.toMatch(/mwt_[0-9A-Z]+_\w/);
});
