import type { Pin } from '../domain/change.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { RoomId } from '../domain/ids.ts';
import type { World } from '../lifecycle/world.ts';
import type { ChatEvent, Incoming } from '../ports/chat.ts';
import type { Requests } from '../ports/requests.ts';
import { code, line, paragraph } from '../words/build.ts';
import type { Document } from '../words/document.ts';
import { addressOf } from './addressing.ts';
import { errorDocument, isAway, PATIENCE, sendAnswer, type Patience } from './reply.ts';
import type { Place } from './command.ts';
import { commandsOf } from './commands/index.ts';
import { execute, failure } from './execute.ts';
import { commandKey, judge } from './authorize-sender.ts';
import { createLimiter } from './throttle.ts';
import { typedText } from './typed-text.ts';

const HOUR_MS = 3_600_000;
const RESEND_MS = 60_000;

/** What the bot is made of. */
export type BotParts = {
  readonly world: World;
  readonly controlRoomId: RoomId;
  /** Explains what the gateway would make of a request. */
  readonly requests: Requests;
  /** Somebody joined, left or was invited somewhere: what waits for that is looked at again. */
  readonly onMembership?: (event: Extract<ChatEvent, { kind: 'membership' }>) => void;
  /** How long answers are tried while the homeserver is away. */
  readonly patience?: Patience;
};

/**
 * Answers what people write. The same event handled twice acts and answers once, so `handle` rejects where
 * the event should come again: the homeserver was away. Nothing else makes it reject.
 */
export type Bot = { handle(event: ChatEvent): Promise<void> };

/** The bot: authorise, tokenise, parse, run, answer. */
export function createBot({
  world,
  controlRoomId,
  requests,
  onMembership,
  patience = PATIENCE,
}: BotParts): Bot {
  const hints = createLimiter(HOUR_MS);
  const refusals = createLimiter(HOUR_MS);
  const resends = createLimiter(RESEND_MS);
  const inFlight = new Set<string>();

  async function say(
    message: Pick<Incoming, 'roomId' | 'eventId'>,
    encrypted: boolean,
    document: Document,
  ): Promise<void> {
    try {
      await sendAnswer(
        world.chat,
        { roomId: message.roomId, eventId: message.eventId, encrypted, document },
        patience.soonMs,
      );
    } catch (error) {
      if (isAway(error)) throw error;
      noteUnsent(message.eventId, error);
    }
  }

  /**
   * For what has been done and will not be done again: the answer is tried for longer, and nobody waits for
   * it.
   */
  async function sayInTheEnd(message: Incoming, encrypted: boolean, document: Document): Promise<void> {
    try {
      await say(message, encrypted, document);
    } catch {
      const answer = { roomId: message.roomId, eventId: message.eventId, encrypted, document };
      sendAnswer(world.chat, answer, patience.laterMs).catch((error: unknown) =>
        noteUnsent(message.eventId, error),
      );
    }
  }

  function noteUnsent(event: string, error: unknown): void {
    world.log.warn('answer not sent', {
      event,
      code: error instanceof MintwardenError ? error.code : 'unexpected',
    });
  }

  async function onMessage(message: Incoming): Promise<void> {
    const place: Place = message.roomId === controlRoomId ? 'control' : 'dm';
    if (message.sender === world.chat.userId || world.ownAccounts.includes(message.sender)) return;
    const commands = commandsOf(place);
    const elsewhere = commandsOf(place === 'control' ? 'dm' : 'control').map((each) => each.name);
    const address = addressOf(
      typedText(message),
      place,
      world.chat.userId,
      commands.map((each) => each.name),
      elsewhere,
    );
    if (address.kind === 'none' && place === 'control') return;

    const { verdict, encrypted } = await judge(world, controlRoomId, message);
    if (verdict.kind === 'ignore')
      return world.log.debug('command ignored', { event: message.eventId, why: verdict.why });
    const now = world.clock.now();
    if (address.kind === 'none') {
      if (verdict.kind === 'accept' && hints.allow(message.sender, now))
        await say(message, encrypted, hint(world.policy().admins.includes(message.sender)));
      return;
    }
    if (verdict.kind === 'refuse') {
      world.log.info('command refused', { event: message.eventId, sender: message.sender, why: verdict.why });
      if (verdict.quietly && !refusals.allow(message.sender, now)) return;
      await say(message, encrypted, errorDocument({ message: verdict.sentence, next: verdict.next }));
      // What was refused as old or from a session not verified yet must not count later, under a date of the
      // homeserver's choice.
      if (mayCommandLater(world, message))
        await world.ledger.commit({ at: now, command: commandKey(message, now) });
      return;
    }
    if (verdict.pin !== null && !(await pinned(world, verdict.pin, message))) {
      return say(
        message,
        encrypted,
        errorDocument({
          message: 'Your cryptographic identity changed just now. I did nothing.',
          next: null,
        }),
      );
    }

    const key = commandKey(message, now);
    const surroundings = { exposed: verdict.exposed, encrypted: message.encryption !== null };
    const { document, acts } = await execute(address, surroundings, {
      world,
      requests,
      place,
      sender: message.sender,
      key,
      now,
      commands,
    });
    // What acts counts as seen before its answer: a crash between the two must not let it act again.
    if (acts) await world.ledger.commit({ at: now, command: key });
    if (document !== null) await (acts ? sayInTheEnd : say)(message, encrypted, document);
    if (!acts) await world.ledger.commit({ at: now, command: key });
  }

  async function onUndecryptable(event: Extract<ChatEvent, { kind: 'undecryptable' }>): Promise<void> {
    const control = event.roomId === controlRoomId;
    if (control && !world.policy().admins.includes(event.sender)) return;
    const dm = control ? null : await world.chat.dm(event.sender);
    if (!control && dm?.roomId !== event.roomId) return;
    if (!resends.allow(event.sender, world.clock.now())) return;
    await say(event, control || dm?.encrypted === true, unreadable(control));
  }

  /** A message that could not even be judged: those who may command are told, if they seem to be asking. */
  async function onTrouble(message: Incoming, error: unknown): Promise<void> {
    const document = failure(world, null, error);
    const told =
      message.roomId === controlRoomId &&
      world.policy().admins.includes(message.sender) &&
      message.encryption !== null;
    if (told) await say(message, true, document);
  }

  /**
   * Runs the work unless the same event, or the same place in the same session, is being worked on already.
   */
  async function once(message: Incoming): Promise<void> {
    const place =
      message.encryption === null
        ? null
        : `${message.encryption.sessionId} ${message.encryption.messageIndex}`;
    const keys = place === null ? [message.eventId] : [message.eventId, place];
    if (keys.some((each) => inFlight.has(each))) return;
    for (const each of keys) inFlight.add(each);
    try {
      await onMessage(message);
    } catch (error) {
      if (isAway(error)) throw error;
      await onTrouble(message, error);
    } finally {
      for (const each of keys) inFlight.delete(each);
    }
  }

  return {
    async handle(event) {
      try {
        if (event.kind === 'membership') onMembership?.(event);
        else if (event.kind === 'undecryptable') await onUndecryptable(event);
        else await once(event.message);
      } catch (error) {
        if (isAway(error)) throw error;
        failure(world, null, error);
      }
    },
  };
}

/** Only what those on the list wrote: what others write cannot count, and must not fill the ledger. */
function mayCommandLater(world: World, message: Incoming): boolean {
  return message.encryption !== null && world.policy().admins.includes(message.sender);
}

/**
 * Remembers the master key of somebody seen for the first time; false where another was remembered meanwhile.
 */
async function pinned(world: World, pin: Pin, message: Incoming): Promise<boolean> {
  const { userId, masterKey, at } = pin;
  const audit = {
    at,
    actor: userId,
    action: 'identity-pinned',
    grantId: null,
    subject: null,
    command: message.eventId,
    data: { masterKey },
  } as const;
  if ((await world.ledger.pin(userId)) === null)
    await world.ledger.commit({ at, pins: [pin], audit: [audit] });
  return (await world.ledger.pin(userId))?.masterKey === masterKey;
}

function hint(admin: boolean): Document {
  return [
    paragraph(
      line`I am a bot, and nobody reads along here. I understand ${code('tokens')}, ${code('show ID')}, ${code('revoke ID')} and ${code('help')}.${admin ? ' Administrators’ commands belong in the control room.' : ''}`,
    ),
  ];
}

function unreadable(control: boolean): Document {
  const next = control ? 'Send it again.' : 'Send it again; unencrypted will do here.';
  return errorDocument({
    message: 'I could not decrypt your message.',
    next: `${next} If that goes on, restart your client, so that it makes new keys.`,
  });
}
