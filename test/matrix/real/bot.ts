import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserId } from '../../../src/domain/ids.ts';
import { createControlRoom } from '../../../src/matrix/accounts.ts';
import { loginWithPassword } from '../../../src/matrix/sessions.ts';
import type { BotClientOptions } from '../../../src/matrix/options.ts';
import { startBotClient, type BotClient } from '../../../src/matrix/bot-client.ts';
import type { ChatContent, ChatEvent, Incoming } from '../../../src/ports/chat.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { SynapseServer } from '../../harness/synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';
import { until } from '../../support/wait.ts';

/** What a bot keeps between runs, and what it heard. */
export interface TestBot {
  user: TestUser;
  controlRoomId: string;
  stateDir: string;
  options: BotClientOptions;
  heard: ChatEvent[];
  logged: string[];
  saved: { seeds: string | null; position: string | null };
  start(changes?: Partial<BotClientOptions>): Promise<BotClient>;
  hears(match: (event: ChatEvent) => boolean): Promise<ChatEvent>;
  hearsMessage(match: (message: Incoming) => boolean): Promise<Incoming>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A new bot account with a control room of its own, not yet started. */
export async function newBot(synapse: SynapseServer, admins: readonly string[]): Promise<TestBot> {
  const user = await synapse.uniqueUser('bot');
  const session = await loginWithPassword(synapse.baseUrl, user.userId, user.password, 'Mintwarden');
  const controlRoomId = await createControlRoom({
    homeserverUrl: synapse.baseUrl,
    accessToken: session.accessToken,
    userId: user.userId,
    admins: admins as readonly UserId[],
    name: 'Mint',
  });
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-matrix-'));
  const heard: ChatEvent[] = [];
  const logged: string[] = [];
  const saved: TestBot['saved'] = { seeds: null, position: null };
  const running: BotClient[] = [];
  const options: BotClientOptions = {
    homeserverUrl: synapse.baseUrl,
    userId: user.userId,
    accessToken: session.accessToken,
    stateDir: join(folder, 'crypto'),
    storeKey: randomBytes(32),
    seeds: {
      load: async () => saved.seeds,
      save: async (secret) => {
        saved.seeds = secret;
      },
    },
    position: {
      load: async () => saved.position,
      save: async (position) => {
        saved.position = position;
      },
    },
    controlRoomId,
    isAdmin: (userId) => admins.includes(userId),
    onEvent: async (event) => {
      heard.push(event);
    },
    log: memoryLog(logged),
  };
  const hears: TestBot['hears'] = async (match) => {
    await until(() => heard.some(match), 20_000, 50).catch(() => undefined);
    const found = heard.find(match);
    if (found !== undefined) return found;
    throw new Error(
      `the bot heard only ${JSON.stringify(heard.map(({ kind }) => kind))}; ${logged.slice(-5).join('\n')}`,
    );
  };
  return {
    user,
    controlRoomId,
    stateDir: options.stateDir,
    options,
    heard,
    logged,
    saved,
    async start(changes = {}) {
      const matrix = await startBotClient({ ...options, ...changes });
      running.push(matrix);
      return matrix;
    },
    hears,
    async hearsMessage(match) {
      const event = await hears((event) => event.kind === 'message' && match(event.message));
      if (event.kind !== 'message') throw new Error('not a message');
      return event.message;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((matrix) => matrix.stop().catch(() => undefined)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A notice for a test. */
export function text(body: string, more: Partial<ChatContent> = {}): ChatContent {
  return { body, html: body, mentions: [], replyTo: null, msgtype: 'm.notice', ...more };
}

function memoryLog(lines: string[]): Log {
  const write = (level: string) => (event: string, data?: object) => {
    lines.push(`${level} ${event} ${JSON.stringify(data ?? {})}`);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
