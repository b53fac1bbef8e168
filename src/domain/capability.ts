/**
 * What a holder may do, by name: the closed set. `read` is what a member sees of a room itself; everything
 * else is asked for by name. A name that is not in this list is never granted, and of those in it only what
 * `enforced.ts` lists.
 */
export const CAPABILITIES = [
  'read',
  'send',
  'react',
  'edit',
  'redact',
  'redact-others',
  'plaintext',
  'state',
  'join',
  'leave',
  'knock',
  'invite',
  'kick',
  'ban',
  'unban',
  'receipts',
  'typing',
  'markers',
  'tags',
  'media',
  'media-any',
  'upload',
  'profile',
  'presence',
  'directory',
  'notifications',
  'push-rules',
  'account-data',
  'to-device',
  'keys',
] as const;

/** One of `CAPABILITIES`. */
export type Capability = (typeof CAPABILITIES)[number];

/** Everything that is decided about a capability. */
export type CapabilityFacts = {
  /** What follows "can", said of the rooms in scope where `where` is `rooms`. */
  readonly verb: string;
  /** The same where it may name types and none is named. */
  readonly ofAnyType?: string;
  /** For help and the manual: the whole of it, in a sentence without a full stop. */
  readonly allows: string;
  /** Whether it changes something that others, or the subject, can see. */
  readonly writes: boolean;
  readonly where: 'rooms' | 'account';
  /** What must be granted as well, or it could do nothing. */
  readonly needs: readonly Capability[];
  /**
   * What may be said after its name: nothing, an event type, a type and a state key, or a type that must be
   * said.
   */
  readonly takes: 'nothing' | 'type' | 'type-and-key' | 'a-type';
  /** Needs a token with its own device, which an issuer that creates none cannot offer. */
  readonly device: boolean;
};

const inRooms = { where: 'rooms', needs: [], takes: 'nothing', device: false } as const;
const ofAccount = { where: 'account', needs: [], takes: 'nothing', device: false } as const;

/** The set as data; help, the scope's sentence and the manual are made from it. */
export const CAPABILITY: Readonly<Record<Capability, CapabilityFacts>> = {
  read: {
    ...inRooms,
    verb: 'read',
    allows:
      'see what a member sees of a room itself: messages, state, members, threads, the media shown there; read:TYPE events of that type alone, no media',
    writes: false,
    takes: 'type',
  },
  send: {
    ...inRooms,
    verb: 'send',
    ofAnyType: 'send messages, stickers, polls and locations',
    allows:
      'send messages, stickers, polls and locations; send:TYPE only of that type. Every other type must be named exactly: encrypted events, calls, whatever some software acts on',
    writes: true,
    takes: 'type',
  },
  react: { ...inRooms, verb: 'react', allows: 'send reactions', writes: true },
  edit: {
    ...inRooms,
    verb: 'edit what the user sent',
    allows: 'edit what the user sent',
    writes: true,
    needs: ['send'],
  },
  redact: {
    ...inRooms,
    verb: 'redact what the user sent',
    allows: 'redact what the user sent',
    writes: true,
  },
  'redact-others': {
    ...inRooms,
    verb: 'redact what others sent',
    allows: 'redact what others sent, where the user may',
    writes: true,
  },
  plaintext: {
    ...inRooms,
    verb: 'send unencrypted into encrypted rooms',
    allows: 'send unencrypted messages into encrypted rooms',
    writes: true,
    needs: ['send'],
  },
  state: {
    ...inRooms,
    verb: 'set state',
    ofAnyType: 'set state of any type that need not be named',
    allows:
      'set a room’s name, topic, picture, pinned events, image packs and live locations; state:TYPE or state:TYPE:KEY only those. Every other type must be named exactly',
    writes: true,
    takes: 'type-and-key',
  },
  join: { ...inRooms, verb: 'join', allows: 'join rooms in scope and accept invites to them', writes: true },
  leave: {
    ...inRooms,
    verb: 'leave',
    allows: 'leave rooms in scope and reject invites to them',
    writes: true,
  },
  knock: { ...inRooms, verb: 'knock', allows: 'ask to be let into rooms in scope', writes: true },
  invite: { ...inRooms, verb: 'invite users', allows: 'invite users by their id', writes: true },
  kick: { ...inRooms, verb: 'kick members', allows: 'remove members, where the user may', writes: true },
  ban: { ...inRooms, verb: 'ban users', allows: 'ban users, where the user may', writes: true },
  unban: { ...inRooms, verb: 'unban users', allows: 'lift bans, where the user may', writes: true },
  receipts: {
    ...inRooms,
    verb: 'see and send read receipts',
    allows: 'see read receipts, and send them, which others see',
    writes: true,
  },
  typing: {
    ...inRooms,
    verb: 'see who types, and show the user typing',
    allows: 'see who types, and show the user typing',
    writes: true,
  },
  markers: {
    ...inRooms,
    verb: 'see and move read markers',
    allows: 'see and move the user’s own read markers, and mark rooms as unread',
    writes: true,
  },
  tags: {
    ...inRooms,
    verb: 'see and set room tags',
    allows: 'see the user’s tags of rooms in scope, and set those that only sort',
    writes: true,
  },
  media: {
    ...inRooms,
    verb: 'fetch media shown',
    allows: 'fetch media that events in scope show; read without a type includes it',
    writes: false,
  },
  'media-any': {
    ...ofAccount,
    verb: 'fetch any media whose address it knows',
    allows: 'fetch any media whose address it knows',
    writes: false,
  },
  upload: { ...ofAccount, verb: 'upload media', allows: 'upload media', writes: true },
  profile: {
    ...ofAccount,
    verb: 'change the user’s name and picture',
    allows: 'change the user’s name, picture and time zone, in every room',
    writes: true,
  },
  presence: {
    ...ofAccount,
    verb: 'see and set presence',
    allows: 'see who is online, and show the user as online',
    writes: true,
  },
  directory: {
    ...ofAccount,
    verb: 'search the directories',
    allows: 'search the directories of rooms and users, and look up aliases',
    writes: false,
  },
  notifications: {
    ...ofAccount,
    verb: 'read notifications',
    allows: 'read the user’s notifications and unread counts, of rooms in scope',
    writes: false,
  },
  'push-rules': {
    ...ofAccount,
    verb: 'read push rules',
    allows: 'read the user’s push rules, of rooms in scope; never change them',
    writes: false,
  },
  'account-data': {
    ...ofAccount,
    verb: 'read and write account data',
    allows:
      'read and write account data of the types named; never those that hold secrets, or could blind the user',
    writes: true,
    takes: 'a-type',
  },
  'to-device': {
    ...ofAccount,
    verb: 'exchange messages with devices',
    allows: 'send messages to devices, and take those for its own',
    writes: true,
    device: true,
  },
  keys: {
    ...ofAccount,
    verb: 'encrypt and decrypt as a device of the user',
    allows: 'have encryption keys of a device of its own',
    writes: true,
    needs: ['to-device'],
    device: true,
  },
};

/** Whether the name is in the set. */
export function isCapability(name: string): name is Capability {
  return (CAPABILITIES as readonly string[]).includes(name);
}
