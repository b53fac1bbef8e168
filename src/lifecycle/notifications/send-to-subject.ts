import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { EventId } from '../../domain/ids.ts';
import type { Channel, Message } from '../../domain/message.ts';
import type { Dm } from '../../ports/chat.ts';
import { inviteReason } from '../../words/invite.ts';
import { contentOf } from './content.ts';
import { noticeChannel } from './delivery-decision.ts';
import { excludeRoom } from '../exclude-room.ts';
import { refusesBot, subjectUnreachable } from '../subjects/refuses-bot.ts';
import { isGone } from '../subjects/subject-decision.ts';
import { prepareSend, recordAccepted } from './try-message.ts';
import type { Services } from '../services.ts';

/**
 * Tells the subject something: in their DM, or by server notice where that is the way that reaches them.
 * @returns `gone` where there is nobody left to tell
 */
export async function sendToSubject(
  services: Services,
  message: Message,
  grant: Grant,
): Promise<'sent' | 'gone'> {
  const { subject } = grant;
  const [facts, keys, hasServerNotices, dm] = await Promise.all([
    services.directory.subject(subject),
    services.chat.keys(subject),
    services.directory.hasServerNotices(),
    services.chat.dm(subject),
  ]);
  if (facts === null || isGone(facts)) return 'gone';
  if (facts.noticesRoom !== null)
    await excludeRoom(services, { roomId: facts.noticesRoom, why: 'server-notices', userId: subject });
  const refuses = refusesBot(facts, dm);
  const way = noticeChannel({
    refusesBot: refuses !== null,
    devices: keys.devices,
    noticesReach: hasServerNotices && !facts.refusesNotices,
  });
  // What may have gone by one way is not sent by another as well, unless that way is closed.
  const sticks = message.channel === 'server-notice' && hasServerNotices;
  if (way === 'server-notice' || sticks) await byServerNotice(services, message, grant);
  // Other news they find if they ever allow the bot; a notice that nobody sees would let the token go out.
  else if (refuses !== null && message.body.kind === 'notice')
    throw subjectUnreachable(subject, refuses, hasServerNotices);
  else await byDm(services, message, grant, dm, keys.devices > 0);
  return 'sent';
}

async function byServerNotice(services: Services, message: Message, grant: Grant): Promise<void> {
  const before = await prepareSend(services, message, { roomId: null, channel: 'server-notice' });
  if (before.kind === 'found') return recordAccepted(services, message.id, before.event);
  const { body, html } = await contentOf(services, message, grant, 'server-notice');
  const { eventId } = await services.directory.sendServerNotice(grant.subject, { body, html }, message.id);
  await recordAccepted(services, message.id, {
    eventId: eventId as EventId,
    roomId: null,
    channel: 'server-notice',
  });
  await excludeNoticesRoom(services, grant);
}

/**
 * The first notice makes the room it comes in. The subjects' watch finds it too, where this look-up fails.
 */
async function excludeNoticesRoom(services: Services, grant: Grant): Promise<void> {
  const facts = await services.directory.subject(grant.subject).catch(() => null);
  if (facts !== null && facts.noticesRoom !== null) {
    await excludeRoom(services, { roomId: facts.noticesRoom, why: 'server-notices', userId: grant.subject });
  }
}

async function byDm(
  services: Services,
  message: Message,
  grant: Grant,
  known: Dm | null,
  encrypted: boolean,
): Promise<void> {
  let row = message;
  let dm = known;
  if (
    dm === null ||
    (dm.membership !== 'join' && dm.membership !== 'invite') ||
    (encrypted && !dm.encrypted)
  ) {
    // The invite's reason tells them already: from here on they may have been told.
    const before = await prepareSend(services, message, {
      roomId: message.roomId,
      channel: message.channel ?? (encrypted ? 'encrypted' : 'plain'),
    });
    if (before.kind === 'found') return recordAccepted(services, message.id, before.event);
    row = before.message;
    dm = await services.chat.openDm(grant.subject, {
      reason: inviteReason(grant, services.clock.now()),
      encrypted,
    });
  }
  await excludeRoom(services, { roomId: dm.roomId, why: 'dm', userId: grant.subject });
  if (dm.membership !== 'join' && dm.membership !== 'invite') {
    throw new MintwardenError('subject-unreachable', `${grant.subject} could not be invited to the DM.`);
  }
  const channel: Channel = dm.encrypted ? 'encrypted' : 'plain';
  const { roomId } = dm;
  const before = await prepareSend(services, row, { roomId, channel });
  if (before.kind === 'found') return recordAccepted(services, message.id, before.event);
  const content = await contentOf(services, before.message, grant, channel);
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: channel,
    audience: 'every-device',
  } as const;
  const eventId = await services.chat.send(roomId, content, options);
  return recordAccepted(services, message.id, { eventId, roomId, channel });
}
