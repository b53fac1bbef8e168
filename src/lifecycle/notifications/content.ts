import type { Grant } from '../../domain/grant.ts';
import type { Channel, Message } from '../../domain/message.ts';
import type { ChatContent } from '../../ports/chat.ts';
import { renderMessage } from '../../words/messages.ts';
import { toHtml, toText } from '../../words/render.ts';
import type { Services } from '../services.ts';

/**
 * The words of a message, made at the moment it is sent and kept nowhere.
 * @param token the scoped token, for the message that delivers it; a secret
 */
export async function contentOf(
  services: Services,
  message: Message,
  grant: Grant | null,
  channel: Channel,
  token?: string,
): Promise<ChatContent> {
  const notice =
    message.body.kind === 'minted' && grant !== null ? await noticeState(services, grant) : undefined;
  const policy = services.policy();
  const { document, mentions, msgtype } = renderMessage(message, grant, {
    now: services.clock.now(),
    gatewayUrl: services.gatewayUrl,
    homeserver: services.directory.serverName,
    admins: policy.admins,
    deliverWithinMs: policy.deliverWithinMs,
    redactAfterMs: policy.redactAfterMs,
    channel,
    ...(token === undefined ? {} : { token }),
    ...(notice === undefined ? {} : { notice }),
  });
  return { body: toText(document), html: toHtml(document), mentions, replyTo: message.to.replyTo, msgtype };
}

async function noticeState(services: Services, grant: Grant): Promise<'accepted' | 'waiting'> {
  const messages = await services.ledger.messages(grant.id);
  return messages.some((message) => message.body.kind === 'notice' && message.state === 'accepted')
    ? 'accepted'
    : 'waiting';
}
