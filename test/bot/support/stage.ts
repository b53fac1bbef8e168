import { randomBytes } from 'node:crypto';
import type { EventId, RoomId, UserId } from '../../../src/domain/ids.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import { createBot, type Bot } from '../../../src/bot/bot.ts';
import { createRequestExplainer } from '../../../src/app/request-explainer.ts';
import type { Services } from '../../../src/lifecycle/services.ts';
import type { Chat, ChatContent, ControlRoomState, Dm, Incoming } from '../../../src/ports/chat.ts';
import { createSealer } from '../../../src/store/seal/index.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { keptLog, scratchFolder } from '../../store/scratch.ts';
import { idleSafeguards } from '../../support/safeguards.ts';
import { buildPolicy } from '../../support/grants.ts';

export const ADA = '@ada:x.org' as UserId;
export const ALICE = '@alice:x.org' as UserId;
export const BOB = '@bob:x.org' as UserId;
export const BOT = '@mintwarden:x.org' as UserId;
export const CONTROL = '!control:x.org' as RoomId;
export const OPS = '!ops:x.org' as RoomId;
export const NOW = Date.parse('2026-11-21T13:05:00Z');

/** What was sent, in order; a transaction id seen before sends nothing again, as at the homeserver. */
type Sent = {
  readonly roomId: RoomId;
  readonly content: ChatContent;
  readonly transactionId: string;
  readonly expect: string;
};

/** A bot over a real ledger, with a homeserver and a clock that the test owns. */
export type BotStage = AsyncDisposable & {
  bot: Bot;
  readonly services: Services;
  readonly sent: Sent[];
  readonly attempts: string[];
  readonly log: ReturnType<typeof keptLog>;
  room: ControlRoomState;
  now: number;
  policy: Policy;
  /** Makes the next sends fail so. */
  failures: Error[];
  /** A bot started again over the same ledger, as after a crash. */
  restarted(): Bot;
  /** Handles a message and gives what was answered, as text. */
  says(text: string, some?: Partial<Incoming>): Promise<string>;
  /** The same in the person's DM, in the clear. */
  saysInDm(sender: UserId, text: string, some?: Partial<Incoming>): Promise<string>;
};

const RETRY_DELAYS = { soonMs: [1, 1], laterMs: [1, 1, 1] };

export function dmOf(userId: UserId): RoomId {
  return `!dm-${userId.slice(1, userId.indexOf(':'))}:x.org` as RoomId;
}

export async function botStage(): Promise<BotStage> {
  await using cleanup = new AsyncDisposableStack();
  const scratch = cleanup.use(await scratchFolder());
  const log = keptLog();
  const ledger = await openSqliteLedger({ file: scratch.file, log });
  cleanup.defer(() => ledger.close());
  const sent: Sent[] = [];
  const attempts: string[] = [];
  let events = 0;

  const chat: Chat = {
    userId: BOT,
    deviceId: 'DEVICE',
    async send(roomId, content, { transactionId, expect }) {
      attempts.push(transactionId);
      const failure = stage.failures.shift();
      if (failure !== undefined) throw failure;
      if (!sent.some((each) => each.transactionId === transactionId))
        sent.push({ roomId, content, transactionId, expect });
      return `$sent-${transactionId}` as EventId;
    },
    redact: async () => undefined,
    findByMarker: async () => null,
    dm: async (userId): Promise<Dm | null> =>
      userId === BOB
        ? null
        : { roomId: dmOf(userId), encrypted: false, membership: 'join', justTheTwo: true },
    openDm: async (userId) => ({
      roomId: dmOf(userId),
      encrypted: true,
      membership: 'invite',
      justTheTwo: true,
    }),
    keys: async () => ({ devices: 1, signedDevices: 1, masterKey: 'MASTER', isReplaced: false }),
    hasRead: async () => false,
    controlRoom: async () => stage.room,
    controlRoomPredecessors: async () => [],
  };
  const key = { id: 'k1', key: randomBytes(32) };
  const services: Services = {
    ledger,
    chat,
    issuer: {
      issue: async () => ({ kind: 'issued', token: 'syt_upstream' }),
      kill: async () => ({ kind: 'dead' }),
    },
    directory: {
      serverName: 'x.org',
      subject: async (userId) =>
        userId === ALICE || userId === BOB || userId === ADA
          ? {
              userId,
              deactivated: false,
              locked: false,
              admin: false,
              joinedRooms: [OPS],
              noticesRoom: null,
              ignoresBot: false,
              invites: 'allow',
              refusesNotices: false,
            }
          : null,
      room: async (roomId) => ({ roomId, name: 'Ops', encrypted: false }),
      creator: async () => null,
      invitedRooms: async () => [],
      replacement: async () => null,
      resolveAlias: async () => null,
      hasServerNotices: async () => false,
      isNoticesRoom: async () => false,
      sendServerNotice: async () => ({ eventId: '$x' }),
    },
    sealer: createSealer({ keys: [key], randomBytes: (count) => randomBytes(count) }),
    clock: { now: () => stage.now },
    random: { bytes: (count) => randomBytes(count) },
    log,
    policy: () => stage.policy,
    ownAccounts: ['@mintwarden-issuer:x.org' as UserId],
    controlRoomId: CONTROL,
    gatewayUrl: 'https://mint.x.org',
    seesAddresses: true,
    ...idleSafeguards({ now: () => stage.now }),
  };
  const incoming = (text: string): Incoming => ({
    roomId: CONTROL,
    eventId: `$event-${events}` as EventId,
    sender: ADA,
    body: text,
    html: null,
    replyTo: null,
    isEdit: false,
    sentAt: stage.now,
    encryption: {
      sessionId: 'session',
      messageIndex: events++,
      deviceSigned: true,
      masterKey: 'MASTER',
      isReplaced: false,
    },
  });
  const requests = createRequestExplainer({
    ledger,
    clock: services.clock,
    controlRoomId: CONTROL,
    remembered: () => null,
  });
  const stage: BotStage = {
    bot: createBot({ services, requests, retryDelays: RETRY_DELAYS }),
    services,
    sent,
    attempts,
    log,
    room: {
      roomId: CONTROL,
      botJoined: true,
      encrypted: true,
      joinRule: 'invite',
      guestsAllowed: false,
      worldReadable: false,
      joined: [ADA, BOT, BOB],
      invited: [],
      replacedBy: null,
    },
    now: NOW,
    policy: buildPolicy({ admins: [ADA] }),
    failures: [],
    restarted: () => createBot({ services, requests, retryDelays: RETRY_DELAYS }),
    async says(text, some = {}) {
      const before = sent.length;
      await stage.bot.handle({ kind: 'message', message: { ...incoming(text), ...some } });
      return sent
        .slice(before)
        .map((each) => each.content.body)
        .join('\n---\n');
    },
    saysInDm: (sender, text, some = {}) =>
      stage.says(text, { sender, roomId: dmOf(sender), encryption: null, ...some }),
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
  const atEnd = cleanup.move();
  return stage;
}
