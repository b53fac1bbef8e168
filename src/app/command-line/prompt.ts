import { createInterface } from 'node:readline';
import { runLine, type RunOptions } from '../exec/client/run-line.ts';
import { STATUS } from '../exec/client/exit-status.ts';
import { complete, type Completions } from './prompt-completion.ts';
import { historyFile, loadHistory, saveHistory, isSafeToKeep } from './prompt-history.ts';

/** How long the ids of grants that are offered may be old, in milliseconds. */
const IDS_FRESH_MS = 5_000;

/**
 * Asks for one command after the other, until Ctrl-D (or `exit`). What was typed is remembered from one time
 * to the next, unless a token is in it.
 * @returns the exit status
 */
export async function prompt(parts: RunOptions, remembers: boolean): Promise<number> {
  const file = remembers ? historyFile(process.env) : null;
  const history = await loadHistory(file);
  const ids = idsOf(parts);
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: 'mintwarden> ',
    history: history.toReversed(),
    historySize: 500,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, result: Completions) => void) => {
      void complete(line, ids).then((result) => done(null, result));
    },
  });
  // Readline remembers by itself whatever was typed.
  terminal.on('history', (lines: string[]) => {
    lines.splice(0, lines.length, ...lines.filter(isSafeToKeep));
  });
  console.log('Commands as in the control room; help lists them. Tab completes, Ctrl-D ends.');
  terminal.prompt();
  for await (const typed of terminal) {
    const line = typed.trim();
    if (line === 'exit' || line === 'quit') break;
    if (line !== '') {
      const ran = await runLine(line, parts);
      console.log(`${ran.words}\n`);
      history.push(line);
      await saveHistory(file, history);
    }
    terminal.prompt();
  }
  terminal.close();
  return STATUS.done;
}

/** The ids of live grants, asked for again when they are older than that. No service, no ids. */
function idsOf(parts: RunOptions): () => Promise<readonly string[]> {
  let known: readonly string[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - askedAt < IDS_FRESH_MS) return known;
    askedAt = performance.now();
    const { data } = await runLine('list', parts);
    const grants: unknown = data['grants'];
    known = Array.isArray(grants) ? grants.map((grant: { readonly id: string }) => grant.id) : [];
    return known;
  };
}
