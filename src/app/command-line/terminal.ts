import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { MintwardenError } from '../../domain/errors.ts';

/**
 * A conversation at the terminal. While it is open nothing that is typed shows but the answer to an open
 * question.
 */
export type Terminal = Disposable & {
  /** The answer, without spaces around it. */
  ask(question: string): Promise<string>;
  /** As `ask`, and what is typed does not show. */
  askHidden(question: string): Promise<string>;
};

/** Ctrl-C, or the end of the input. The caller decides what to print. */
export class Interrupted extends MintwardenError {
  constructor() {
    super('usage', 'Stopped.', null);
    this.name = 'Stopped';
  }
}

/** Opens it. @param onStopped called for a Ctrl-C while no question is open */
export function openTerminal(onStopped: () => void): Terminal {
  let isShown = false;
  let isOver = false;
  let open: PromiseWithResolvers<string> | null = null;
  // Answers typed before their question: while the homeserver is asked, say. An empty line is impatience, no
  // answer.
  const ahead: string[] = [];
  const screen = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (isShown) process.stdout.write(chunk);
      done();
    },
  });
  // No history: a hidden answer must not come back by the arrow key.
  const lines = createInterface({ input: process.stdin, output: screen, terminal: true, historySize: 0 });
  lines.on('line', (line) => {
    isShown = false;
    if (open === null && line.trim() !== '') ahead.push(line.trim());
    open?.resolve(line.trim());
    open = null;
  });
  const stop = (): void => {
    if (isOver) return;
    isOver = true;
    lines.close();
    process.stdout.write('\n');
    if (open === null) onStopped();
    open?.reject(new Interrupted());
  };
  lines.on('SIGINT', stop);
  lines.on('close', stop);

  const asking = (): Promise<string> => {
    if (isOver) throw new Interrupted();
    const known = ahead.shift();
    if (known !== undefined) return Promise.resolve(known);
    open = Promise.withResolvers<string>();
    return open.promise;
  };
  return {
    ask: (question) => {
      const answer = asking();
      isShown = open !== null;
      lines.setPrompt(question);
      if (isShown) lines.prompt();
      else process.stdout.write(`${question}\n`);
      return answer;
    },
    askHidden: async (question) => {
      const answer = asking();
      process.stdout.write(question);
      try {
        return await answer;
      } finally {
        process.stdout.write('\n');
      }
    },
    [Symbol.dispose]: () => {
      isOver = true;
      lines.close();
    },
  };
}

/**
 * Asks until `check` takes the answer; what it throws for a person is shown, and the question comes again.
 */
export async function askUntil<T>(
  ask: () => Promise<string>,
  check: (answer: string) => T | Promise<T>,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    try {
      return await check(answer);
    } catch (error) {
      if (!(error instanceof MintwardenError) || error instanceof Interrupted || error.code === 'internal')
        throw error;
      console.log(`${error.message}${error.hint === null ? '' : `\n${error.hint}`}`);
    }
  }
}

/** Yes or no, until it is one of them. */
export function askYesNo(terminal: Terminal, question: string): Promise<boolean> {
  return askUntil(
    () => terminal.ask(`${question} (yes/no) `),
    (answer) => {
      if (/^y(es)?$/i.test(answer)) return true;
      if (/^no?$/i.test(answer)) return false;
      throw new MintwardenError('usage', 'Answer yes or no.');
    },
  );
}
