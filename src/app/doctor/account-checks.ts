import type { Check } from './check.ts';

/** The checks of the two accounts and of the admins, in their order. */
export const ACCOUNT_CHECKS = {
  'issuer-token': {
    what: 'the issuer is logged in',
    why: 'Nothing can be minted, looked up or killed.',
    fix: 'Run mintwarden init again: it logs the account in again.',
  },
  'issuer-rights': {
    what: 'the issuer is a server administrator',
    why: 'Only a server administrator may create tokens for other users.',
    fix: 'Give it the administrator right.',
  },
  'issuer-rate-limit': {
    what: 'the issuer has no exemption from rate limits',
    why: 'Tokens it creates inherit the exemption: every holder could send without limit in the subject’s name.',
    fix: 'Remove the exemption.',
  },
  'issuer-sessions': {
    what: 'the issuer has only our session',
    why: 'Anyone who has another session owns the homeserver.',
    fix: 'End the sessions you do not recognize.',
  },
  'issuer-consent': {
    what: 'the issuer is marked as a bot',
    why: 'If the homeserver requires consent to its terms, everything this account does fails until it consents.',
    fix: 'Mark it as a bot.',
  },
  'bot-account': {
    what: 'the bot’s account exists, and is neither deactivated nor locked',
    why: 'The bot cannot chat: no command is heard, and nobody is told anything.',
    fix: 'Reactivate the account, then run mintwarden init again.',
  },
  'bot-token': {
    what: 'the bot is logged in',
    why: 'The bot cannot chat: no command is heard, and nobody is told anything.',
    fix: 'Run mintwarden init again: it logs the account in again.',
  },
  'bot-rights': {
    what: 'the bot is not a server administrator',
    why: 'Anyone who takes over the bot would own the homeserver.',
    fix: 'Remove the administrator right.',
  },
  'bot-rate-limit': {
    what: "the bot's rate limits are lifted",
    why: 'After ten messages, a notice would wait for a minute, and its token too.',
    fix: 'Lift them.',
  },
  'bot-sessions': {
    what: 'the bot has only our session',
    why: 'Another session could speak as the bot, and might read the control room.',
    fix: 'End the sessions you do not recognize.',
  },
  'bot-invites': {
    what: 'the bot may invite people (block_non_admin_invites in homeserver.yaml)',
    why: 'It tells people of their tokens in chats that it invites them to: nothing can be minted for anyone it cannot tell.',
    fix: 'Set block_non_admin_invites: false in homeserver.yaml, and restart Synapse.',
  },
  'bot-consent': {
    what: 'the bot is marked as a bot',
    why: 'If the homeserver requires consent to its terms, everything this account does fails until it consents.',
    fix: 'Mark it as a bot.',
  },
  admins: {
    what: 'the admins’ accounts exist',
    why: 'They cannot give commands.',
    fix: 'Remove them from admins, or repair the account.',
  },
  'admin-identities': {
    what: 'every admin has an identity that signs their devices',
    why: 'The bot obeys only commands from verified devices, and sends tokens only to those.',
    fix: 'Ask them to set up secure backup in their client (in Element: All settings, Encryption), then verify the session they use.',
  },
  'admin-pins': {
    what: "every admin's identity is the one first seen",
    why: 'A server administrator can replace anyone’s identity: the bot obeys the new one only after an operator has confirmed it.',
    fix: 'Compare keys with the person, then confirm the identity.',
  },
} as const satisfies Readonly<Record<string, Check>>;
