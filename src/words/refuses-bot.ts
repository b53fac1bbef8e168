import type { UserId } from '../domain/ids.ts';

type Setting = 'ignored' | 'invites-blocked' | 'invites-ignored';

const SENTENCES: Readonly<Record<Setting, string>> = {
  ignored: 'ignores this bot',
  'invites-blocked': 'blocks invitations in their settings (M_INVITE_BLOCKED)',
  'invites-ignored': 'has set invitations from this bot to be ignored, so that they would never see one',
};

/** What the person's setting does. */
export function refusesBotSentence(userId: UserId, setting: Setting): string {
  return `${userId} ${SENTENCES[setting]}`;
}

/** What they can do. */
export function refusesBotHint(setting: Setting): string {
  return setting === 'ignored'
    ? 'Ask them to stop ignoring the bot'
    : 'Ask them to allow invitations in their client’s settings until they have joined the bot’s chat; after that it needs none';
}
