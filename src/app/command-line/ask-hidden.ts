import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { MintwardenError } from '../../domain/errors.ts';

/** Asks at the terminal without showing what is typed. @throws MintwardenError `usage` for an empty answer */
export async function askHidden(question: string): Promise<string> {
  process.stdout.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silence, terminal: true });
  try {
    const answer = (await terminal.question('')).trim();
    if (answer === '')
      throw new MintwardenError('usage', 'Without a token there is nothing to set up with.', 'mintwarden init --help shows what it takes.');
    return answer;
  } finally {
    terminal.close();
    process.stdout.write('\n');
  }
}
