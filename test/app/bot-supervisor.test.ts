import { afterEach, describe, expect, test } from 'vitest';
import { type SupervisedBot, superviseBot, type BotHooks } from '../../src/app/bot-supervisor.ts';
import { MintwardenError } from '../../src/domain/errors.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { createIncidents } from '../../src/lifecycle/incidents/incidents.ts';
import { toRefusal } from '../../src/matrix/homeserver-errors.ts';
import type { BotClient } from '../../src/matrix/bot-client.ts';
import type { Chat } from '../../src/ports/chat.ts';
import { silentLog } from '../support/silent-log.ts';

const DEAD = toRefusal({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } });
const open: SupervisedBot[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.stop();
});

/** Keeps a bot that answers only to the tokens in `good`. */
async function keep(good: Set<string>) {
  const token: { now: string; inFile: string; byLogin: string | null } = {
    now: 'one',
    inFile: 'one',
    byLogin: null,
  };
  const begun: { token: string; hooks: BotHooks; stopped: boolean; breaks?: Error }[] = [];
  const incidents = createIncidents({ clock: { now: () => 0 }, log: silentLog });
  const fatal = { count: 0 };
  const kept = await superviseBot({
    userId: '@bot:test' as UserId,
    tokens: {
      bot: () => token.now,
      reload: async () => void (token.now = token.inFile),
      renew: async () => {
        if (token.byLogin === null) return false;
        token.now = token.inFile = token.byLogin;
        return true;
      },
    },
    incidents,
    onFatal: () => fatal.count++,
    log: silentLog,
    open: async (shown, hooks): Promise<BotClient> => {
      if (!good.has(shown)) throw DEAD;
      const mine: (typeof begun)[number] = { token: shown, hooks, stopped: false };
      begun.push(mine);
      const dm = async (): Promise<null> => {
        if (mine.breaks !== undefined) throw mine.breaks;
        return null;
      };
      const stop = async (): Promise<void> => void (mine.stopped = true);
      return {
        chat: { dm } as unknown as Chat,
        deviceId: shown,
        ready: Promise.resolve(),
        syncedAt: () => begun.length,
        stop,
      };
    },
  });
  open.push(kept);
  const kinds = () => incidents.current().map(({ kind }) => kind);
  return { kept, begun, token, kinds, fatal };
}

const ALICE = '@alice:test' as UserId;
const SOON = { timeout: 8_000 };

describe('the bot', () => {
  test('logged out while it runs is stopped, and comes back with the token its file holds by then', async () => {
    const good = new Set(['one', 'two']);
    const { kept, begun, token, kinds } = await keep(good);
    good.delete('one');
    begun[0]?.hooks.onLoggedOut();
    begun[0]?.hooks.onLoggedOut();
    expect(kinds()).toEqual(['bot-logged-out']);
    await expect(kept.chat.dm(ALICE)).rejects.toMatchObject({ code: 'homeserver-unreachable' });
    token.inFile = 'two';
    await expect.poll(() => begun.length, SOON).toBe(2);
    await expect.poll(kinds).toEqual([]);
    expect(begun.map((each) => each.stopped)).toEqual([true, false]);
    expect(kept.chat.deviceId).toBe('two');
    expect(await kept.chat.dm(ALICE)).toBeNull();
    // What the old one still says means nothing.
    begun[0]?.hooks.onLoggedOut();
    expect(kinds()).toEqual([]);
  });

  test('whose session was over is logged in again without a word', async () => {
    const good = new Set(['one', 'two']);
    const { begun, token, kinds } = await keep(good);
    good.delete('one');
    token.byLogin = 'two';
    begun[0]?.hooks.onLoggedOut(true);
    expect(kinds()).toEqual([]);
    await expect.poll(() => begun.length, SOON).toBe(2);
    expect(begun.map((each) => each.token)).toEqual(['one', 'two']);
    expect(kinds()).toEqual([]);
  });

  test('whose session was over and who cannot be logged in again is an incident', async () => {
    const { begun, kinds } = await keep(new Set(['one']));
    begun[0]?.hooks.onLoggedOut(true);
    await expect.poll(kinds).toEqual(['bot-logged-out']);
  });

  test('logged out at the start is no error; anything else is', async () => {
    const { begun, kinds } = await keep(new Set());
    expect(kinds()).toEqual(['bot-logged-out']);
    expect(begun).toEqual([]);
    const wrong = new MintwardenError('state', 'The store is another one.');
    const incidents = createIncidents({ clock: { now: () => 0 }, log: silentLog });
    const parts = {
      userId: ALICE,
      tokens: { bot: () => '', reload: async () => undefined, renew: async () => false },
      incidents,
      onFatal: () => undefined,
      log: silentLog,
    };
    await expect(superviseBot({ ...parts, open: () => Promise.reject(wrong) })).rejects.toBe(wrong);
  });

  test('that could not write its store comes back, and what it broke off is to be tried again', async () => {
    const { kept, begun, kinds, fatal } = await keep(new Set(['one']));
    const first = begun[0] ?? expect.unreachable();
    first.breaks = new MintwardenError('state', 'The encryption state could not be written to disk.');
    await expect(kept.chat.dm(ALICE)).rejects.toMatchObject({ code: 'state' });
    const asked = kept.chat.dm(ALICE);
    first.hooks.onFatal();
    await expect(asked).rejects.toMatchObject({ code: 'homeserver-unreachable' });
    expect([kinds(), fatal.count]).toEqual([['bot-stopped'], 1]);
    await expect.poll(() => begun.length, SOON).toBe(2);
    expect(kinds()).toEqual([]);
  });
});
