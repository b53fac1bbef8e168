/** A matrix-js-sdk client in a process of its own, driven by JSON lines. Run by `js-client.ts`. */
import {
  ClientEvent,
  createClient,
  EventStatus,
  MatrixEventEvent,
  PendingEventOrdering,
  RoomEvent,
  RoomMemberEvent,
  type ICreateClientOpts,
  type MatrixClient,
  type MatrixEvent,
  type RoomMember,
} from 'matrix-js-sdk';
import {
  AllDevicesIsolationMode,
  CryptoEvent,
  EventShieldColour,
  EventShieldReason,
  OnlySignedDevicesIsolationMode,
  type CryptoApi,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { Shield, TimelineEvent } from './encrypted-client.ts';
import { serveJsonLines, tell } from './json-lines-worker.ts';
import { until } from '../support/wait.ts';

/** How long a sync may take to tell of a new room, and of its encryption. */
const unknownRoomMs = 10_000;
const plainRoomMs = 1_000;

// Stdout belongs to the protocol.
for (const level of ['debug', 'log', 'info', 'warn', 'trace'] as const)
  console[level] = (): void => undefined;

const quiet: NonNullable<ICreateClientOpts['logger']> = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (...words: unknown[]) => {
    process.stderr.write(`${words.map(String).join(' ')}\n`);
  },
  getChild: () => quiet,
};

interface Login {
  baseUrl: string;
  userId: string;
  password: string;
  crossSigned: boolean;
  signedDevicesOnly: boolean;
}

let client: MatrixClient;
let crypto: CryptoApi;
let password = '';

serveJsonLines({
  login: async (login: Login) => {
    const who = { type: 'm.id.user', user: login.userId };
    const session = await createClient({ baseUrl: login.baseUrl, logger: quiet }).loginRequest({
      type: 'm.login.password',
      identifier: who,
      password: login.password,
      initial_device_display_name: 'matrix-js-sdk of the test harness',
    });
    const { user_id: userId, access_token: accessToken, device_id: deviceId } = session;
    password = login.password;
    client = createClient({ baseUrl: login.baseUrl, userId, accessToken, deviceId, logger: quiet });
    await client.initRustCrypto({ useIndexedDB: false });
    crypto = client.getCrypto()!;
    crypto.setDeviceIsolationMode(
      login.signedDevicesOnly ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false),
    );
    if (login.crossSigned) await makeCrossSigningKeys();
    listen();
    const synced = new Promise<void>((resolve) => {
      client.once(ClientEvent.Sync, () => {
        resolve();
      });
    });
    await client.startClient({ initialSyncLimit: 100, pendingEventOrdering: PendingEventOrdering.Detached });
    await synced;
    return { deviceId, accessToken };
  },

  send: async ({ roomId, type, content }: { roomId: string; type: string; content: object }) => {
    await encryptedRoom(roomId);
    try {
      const sent = await client.sendEvent(roomId, type as never, content as never);
      return sent.event_id;
    } catch (error) {
      // Left where it is, it would block every later one.
      for (const event of client.getRoom(roomId)?.getPendingEvents() ?? [])
        if (event.status === EventStatus.NOT_SENT) client.cancelPendingEvent(event);
      throw error;
    }
  },

  /** New cross-signing keys in the place of the old, as after "I have lost all my devices". */
  resetCrossSigning: () => makeCrossSigningKeys(),

  crossSigningReady: () => crypto.isCrossSigningReady(),
});

async function makeCrossSigningKeys(): Promise<void> {
  await crypto.bootstrapCrossSigning({
    setupNewCrossSigning: true,
    authUploadDeviceSigningKeys: async (upload) => {
      try {
        await upload(null);
      } catch (refusal) {
        const { session } = (refusal as { data?: { session?: string } }).data ?? {};
        if (session === undefined) throw refusal;
        const identifier = { type: 'm.id.user', user: client.getSafeUserId() };
        await upload({ type: 'm.login.password', identifier, password, session });
      }
    },
  });
}

/** js-sdk sends plaintext into a room whose encryption it has not heard of yet. */
async function encryptedRoom(roomId: string): Promise<void> {
  const began = Date.now();
  await until(
    async () => {
      const room = client.getRoom(roomId);
      if (room?.hasEncryptionStateEvent() === true && (await crypto.isEncryptionEnabledInRoom(roomId)))
        return true;
      if (Date.now() - began > (room === null ? unknownRoomMs : plainRoomMs))
        throw new Error(`the room ${roomId} is not encrypted, or not known to this client`);
      return false;
    },
    Number.POSITIVE_INFINITY,
    20,
  );
}

function listen(): void {
  client.on(RoomEvent.Timeline, (event) => {
    void show(event);
  });
  client.on(MatrixEventEvent.Decrypted, (event) => {
    void show(event);
  });
  client.on(RoomEvent.Redaction, (redaction, room) => {
    const redacted = room.findEventById(redaction.getAssociatedId() ?? '');
    if (redacted !== undefined) void show(redacted);
  });
  client.on(RoomMemberEvent.Membership, tellMember);
  client.on(RoomEvent.MyMembership, (room, membership) => {
    tell('member', { roomId: room.roomId, userId: client.getSafeUserId(), membership });
    if (membership !== 'invite') return;
    const invite = room.getMember(client.getSafeUserId())?.events.member;
    const { reason = null, is_direct = false } =
      invite?.getContent<{ reason?: string; is_direct?: boolean }>() ?? {};
    tell('invite', { roomId: room.roomId, inviter: invite?.getSender() ?? '', reason, isDirect: is_direct });
  });
  // What is known of the sender's devices may come after the message.
  const reconsider = (senders: readonly string[]): void => {
    for (const room of client.getRooms())
      for (const event of room.getLiveTimeline().getEvents())
        if (event.isEncrypted() && senders.includes(event.getSender() ?? '')) void show(event);
  };
  client.on(CryptoEvent.DevicesUpdated, reconsider);
  client.on(CryptoEvent.UserTrustStatusChanged, (userId) => {
    reconsider([userId]);
  });
}

function tellMember(_event: MatrixEvent, member: RoomMember): void {
  tell('member', { roomId: member.roomId, userId: member.userId, membership: member.membership ?? 'leave' });
}

async function show(event: MatrixEvent): Promise<void> {
  // Local echoes have ids that begin with "~".
  if (event.getId()?.startsWith('$') !== true) return;
  await client.decryptEventIfNeeded(event);
  if (event.isBeingDecrypted()) return;
  const failed = event.isDecryptionFailure();
  const wasEncrypted = event.isEncrypted() || event.getWireType() === 'm.room.encrypted';
  const wire: Record<string, unknown> = event.getWireContent();
  const shown: TimelineEvent = {
    eventId: event.getId() ?? '',
    roomId: event.getRoomId() ?? '',
    sender: event.getSender() ?? '',
    atMs: event.getTs(),
    type: failed ? 'm.room.encrypted' : event.getType(),
    content: failed ? {} : event.getOriginalContent(),
    stateKey: event.getStateKey() ?? null,
    wasEncrypted,
    undecryptable: failed ? event.decryptionFailureReason : null,
    shield: wasEncrypted && !failed ? await shieldOf(event) : null,
    ...(wasEncrypted && !failed ? await trustOf(event) : { signedByOwner: null, verified: null }),
    redacted: event.isRedacted(),
    sessionId: typeof wire['session_id'] === 'string' ? wire['session_id'] : null,
  };
  tell('timeline', shown);
}

const colours: Record<EventShieldColour, Shield['colour']> = {
  [EventShieldColour.NONE]: 'none',
  [EventShieldColour.GREY]: 'grey',
  [EventShieldColour.RED]: 'red',
};

async function shieldOf(event: MatrixEvent): Promise<Shield | null> {
  const info = await crypto.getEncryptionInfoForEvent(event);
  if (info === null) return null;
  const reason =
    info.shieldReason === null ? null : (EventShieldReason[info.shieldReason] ?? String(info.shieldReason));
  return { colour: colours[info.shieldColour], reason };
}

async function trustOf(event: MatrixEvent): Promise<{ signedByOwner: boolean; verified: boolean }> {
  const sender = event.getSender() ?? '';
  const devices = (await crypto.getUserDeviceInfo([sender], true)).get(sender)?.values() ?? [];
  const device = [...devices].find((candidate) => candidate.getIdentityKey() === event.getSenderKey());
  if (device === undefined) return { signedByOwner: false, verified: false };
  const status = await crypto.getDeviceVerificationStatus(sender, device.deviceId);
  return { signedByOwner: status?.signedByOwner ?? false, verified: status?.isVerified() ?? false };
}
