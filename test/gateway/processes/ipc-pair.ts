import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Board, boardReader, createBoard } from '../../../src/gateway/processes/shared-revision';
import { type LineToBot, lineToBot } from '../../../src/gateway/processes/ipc-client';
import type { Ask, FromChild, ToChild } from '../../../src/gateway/processes/messages.ts';
import { relay, type Relay, type RelayMeans } from '../../../src/gateway/processes/ipc-server';
import { remoteAccess, type RemoteAccess } from '../../../src/gateway/processes/remote-access.ts';

/** Both ends of a pipe in one process: what passes is JSON, in its order, a turn of the event loop later. */
export type Pair = Disposable & {
  readonly relay: Relay;
  readonly board: Board;
  readonly line: LineToBot;
  readonly access: RemoteAccess;
  /** Everything that was asked. */
  readonly asked: Ask[];
  /** From now on nothing arrives at the child, until `flow`. */
  hold(): void;
  flow(): void;
  /** The child is no more. */
  leave(): void;
};

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function pair(
  means: Omit<RelayMeans, 'board' | 'log' | 'now' | 'paces'> & Partial<Pick<RelayMeans, 'paces'>>,
  now: () => number,
): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-board-'));
  const board = createBoard(folder);
  const paces = { writing: { take: () => 0 }, tending: { take: () => 0 } };
  const bot = relay({ paces, ...means, board, now, log: quiet });
  const asked: Ask[] = [];
  let held: string[] | null = null;
  let gone = false;
  const arrive = (text: string): void => {
    if (gone) return;
    const news = line.take(JSON.parse(text) as ToChild);
    if (news !== null) access.hear(news);
  };
  const wire = bot.open((message) => {
    const text = JSON.stringify(message);
    setImmediate(() => (held === null ? arrive(text) : held.push(text)));
  });
  const line = lineToBot(
    (message: FromChild) => {
      const text = JSON.stringify(message);
      setImmediate(() => {
        const sent = JSON.parse(text) as FromChild;
        if (sent.type !== 'ask') return;
        asked.push(sent.ask);
        void wire.answer(sent.id, sent.ask);
      });
    },
    bot.at,
    boardReader(board.fd),
  );
  const access = remoteAccess(line, now);
  return {
    relay: bot,
    board,
    line,
    access,
    asked,
    hold: () => void (held ??= []),
    flow() {
      const waiting = held ?? [];
      held = null;
      for (const text of waiting) arrive(text);
    },
    leave() {
      gone = true;
      wire.close();
    },
    [Symbol.dispose]() {
      line.close();
      bot.close();
      board.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
