import type { Pin } from '../domain/change.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { Services } from '../lifecycle/services.ts';
import type { ChatEvent, Incoming } from '../ports/chat.ts';
import type { Requests } from '../ports/requests.ts';
import { code, line, paragraph } from '../words/build.ts';
import type { Document } from '../words/document.ts';
import { parseAddress } from './addressing.ts';
import { errorDocument, isHomeserverAway, RETRY_DELAYS, sendReply, type RetryDelays } from './reply.ts';
import type { Place } from './command-description.ts';
import { commandsOf } from './commands/index.ts';
import { execute, failureDocument } from './execute.ts';
import { commandKey, authorizeSender } from './authorize-sender.ts';
import { createThrottle } from './throttle.ts';
import { typedText } from './typed-text.ts';

const HOUR_MS = 3_600_000;
const RESEND_HINT_INTERVAL_MS = 60_000;

/** What the bot is made of. */
export type BotOptions = {
  readonly services: Services;
  /** Explains what the gateway would make of a request. */
  readonly requests: Requests;
  /** Somebody joined, left or was invited somewhere: what waits for that is looked at again. */
  readonly onMembership?: (event: Extract<ChatEvent, { kind: 'membership' }>) => void;
  /** How long answers are tried while the homeserver is away. */
  readonly retryDelays?: RetryDelays;
};

/**
 * Replies to what people write. Handling the same event twice acts and replies once. `handle` rejects only
 * where the homeserver was away: then the event should be delivered again.
 */
export type Bot = { handle(event: ChatEvent): Promise<void> };

/** The bot: authorise, tokenise, parse, run, answer. */
export function createBot({ services, requests, onMembership, retryDelays = RETRY_DELAYS }: BotOptions): Bot {
  const { controlRoomId } = services;
  const hints = createThrottle(HOUR_MS);
  const refusals = createThrottle(HOUR_MS);
  const leftOut = createThrottle(HOUR_MS);
  const resends = createThrottle(RESEND_HINT_INTERVAL_MS);
  const inFlight = new Set<string>();

  async function reply(
    message: Pick<Incoming, 'roomId' | 'eventId'>,
    encrypted: boolean,
    document: Document,
  ): Promise<void> {
    try {
      await sendReply(
        services.chat,
        { roomId: message.roomId, eventId: message.eventId, encrypted, document },
        retryDelays.soonMs,
      );
    } catch (error) {
      if (isHomeserverAway(error)) throw error;
      logUnsent(message.eventId, error);
    }
  }

  /**
   * For a command that has taken effect and will not run again: sending the reply is retried for longer, in
   * the background.
   */
  async function replyEventually(message: Incoming, encrypted: boolean, document: Document): Promise<void> {
    try {
      await reply(message, encrypted, document);
    } catch {
      const answer = { roomId: message.roomId, eventId: message.eventId, encrypted, document };
      sendReply(services.chat, answer, retryDelays.laterMs).catch((error: unknown) =>
        logUnsent(message.eventId, error),
      );
    }
  }

  function logUnsent(event: string, error: unknown): void {
    services.log.warn('answer not sent', {
      event,
      code: error instanceof MintwardenError ? error.code : 'unexpected',
    });
  }

  async function onMessage(message: Incoming): Promise<void> {
    const place: Place = message.roomId === controlRoomId ? 'control' : 'dm';
    if (message.sender === services.chat.userId || services.ownAccounts.includes(message.sender)) return;
    const commands = commandsOf(place);
    const elsewhere = commandsOf(place === 'control' ? 'dm' : 'control').map((each) => each.name);
    const { serverName } = services.directory;
    const { text, problem } = typedText(message, { serverName, botUserId: services.chat.userId });
    const address = parseAddress(
      text,
      place,
      services.chat.userId,
      commands.map((each) => each.name),
      elsewhere,
    );
    if (address.kind === 'none' && place === 'control') return;

    const { authorization, encrypted } = await authorizeSender(services, message);
    if (authorization.kind === 'ignore')
      return services.log.debug('command ignored', { event: message.eventId, why: authorization.why });
    const now = services.clock.now();
    if (address.kind === 'none') {
      if (authorization.kind === 'accept' && hints.allow(message.sender, now))
        await reply(message, encrypted, dmHint(services.policy().admins.includes(message.sender)));
      return;
    }
    if (authorization.kind === 'refuse') {
      services.log.info('command refused', {
        event: message.eventId,
        sender: message.sender,
        why: authorization.why,
      });
      if (authorization.quietly && !refusals.allow(message.sender, now)) return;
      await reply(
        message,
        encrypted,
        errorDocument({ message: authorization.sentence, hint: authorization.next }),
      );
      // A command refused as old, or from an unverified session, must not be accepted later: the homeserver
      // chooses the date it shows.
      if (mustRememberRefusal(services, message))
        await services.ledger.commit({ at: now, command: commandKey(message, now) });
      return;
    }
    if (authorization.pin !== null && !(await pinIdentity(services, authorization.pin, message))) {
      return reply(
        message,
        encrypted,
        errorDocument({
          message: 'Your cryptographic identity changed just now. I did nothing.',
          hint: null,
        }),
      );
    }

    const key = commandKey(message, now);
    if (problem !== null) {
      services.log.info('command refused', { event: message.eventId, sender: message.sender, why: 'text' });
      await reply(message, encrypted, errorDocument(problem));
      return void (await services.ledger.commit({ at: now, command: key }));
    }
    const status = { exposed: authorization.exposed, encrypted: message.encryption !== null };
    const { document, mutates } = await execute(address, status, {
      services,
      requests,
      commands,
      invocation: { place, sender: message.sender, key, now },
    });
    // A command with effects is recorded as seen before its reply: after a crash in between it must not run again.
    if (mutates) await services.ledger.commit({ at: now, command: key });
    if (document !== null) await (mutates ? replyEventually : reply)(message, encrypted, document);
    if (!mutates) await services.ledger.commit({ at: now, command: key });
  }

  async function onUndecryptable(event: Extract<ChatEvent, { kind: 'undecryptable' }>): Promise<void> {
    const control = event.roomId === controlRoomId;
    if (control && !services.policy().admins.includes(event.sender)) return;
    const dm = control ? null : await services.chat.dm(event.sender);
    if (!control && dm?.roomId !== event.roomId) return;
    if (!resends.allow(event.sender, services.clock.now())) return;
    await reply(event, control || dm?.encrypted === true, undecryptableReply(control));
  }

  /** Said once in a while, in the person's own DM. */
  async function onLeftOut(event: Extract<ChatEvent, { kind: 'left-out' }>): Promise<void> {
    if (event.roomId === controlRoomId || !leftOut.allow(event.sender, services.clock.now())) return;
    const dm = await services.chat.dm(event.sender);
    if (dm?.roomId === event.roomId) await reply(event, dm.encrypted, leftOutReply());
  }

  /** A message that could not even be judged: those who may command are told, if they seem to be asking. */
  async function onFailure(message: Incoming, error: unknown): Promise<void> {
    const document = failureDocument(services, null, error);
    const isAdmin =
      message.roomId === controlRoomId &&
      services.policy().admins.includes(message.sender) &&
      message.encryption !== null;
    if (isAdmin) await reply(message, true, document);
  }

  /**
   * Handles the message unless the same event, or the same index of the same session, is being handled.
   */
  async function handleOnce(message: Incoming): Promise<void> {
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
      if (isHomeserverAway(error)) throw error;
      await onFailure(message, error);
    } finally {
      for (const each of keys) inFlight.delete(each);
    }
  }

  return {
    async handle(event) {
      try {
        if (event.kind === 'membership') onMembership?.(event);
        else if (event.kind === 'undecryptable') await onUndecryptable(event);
        else if (event.kind === 'left-out') await onLeftOut(event);
        else await handleOnce(event.message);
      } catch (error) {
        if (isHomeserverAway(error)) throw error;
        failureDocument(services, null, error);
      }
    },
  };
}

/** Only what those on the list wrote: what others write cannot count, and must not fill the ledger. */
function mustRememberRefusal(services: Services, message: Incoming): boolean {
  return message.encryption !== null && services.policy().admins.includes(message.sender);
}

/**
 * Pins the master key of a user seen for the first time; false where another key was pinned meanwhile.
 */
async function pinIdentity(services: Services, pin: Pin, message: Incoming): Promise<boolean> {
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
  if ((await services.ledger.pin(userId)) === null)
    await services.ledger.commit({ at, pins: [pin], audit: [audit] });
  return (await services.ledger.pin(userId))?.masterKey === masterKey;
}

function dmHint(admin: boolean): Document {
  return [
    paragraph(
      line`I am a bot, and nobody reads along here. I understand ${code('tokens')}, ${code('show ID')}, ${code('revoke ID')} and ${code('help')}.${admin ? ' Administrators’ commands belong in the control room.' : ''}`,
    ),
  ];
}

function leftOutReply(): Document {
  return errorDocument({
    message: 'You write faster than I read, so I left some of it out.',
    hint: 'Wait a minute, then send again what I have not answered.',
  });
}

function undecryptableReply(control: boolean): Document {
  const next = control ? 'Send it again.' : 'Send it again; unencrypted will do here.';
  return errorDocument({
    message: 'I could not decrypt your message.',
    hint: `${next} If that goes on, restart your client, so that it makes new keys.`,
  });
}
