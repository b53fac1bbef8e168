import { ACCOUNT_CHECKS } from './account-checks.ts';
import type { Check } from './check.ts';

/**
 * Every check, in the order they are made. The names are fixed, so that scripts can look for them; a check
 * that rests on another one that failed is left out of the findings.
 */
export const CHECKS = {
  configuration: {
    what: 'the configuration can be read: every key, the secret files, their modes',
    why: 'Without it nothing starts.',
    fix: 'Follow the message; mintwarden config check repeats it.',
  },
  'node-version': {
    what: 'the version of Node',
    why: 'Mintwarden is written for it; older versions lack what it needs.',
    fix: 'Install a newer Node.',
  },
  'sqlite-version': {
    what: 'the version of the SQLite that Node contains',
    why: 'It stores the ledger, and some versions can damage a database.',
    fix: 'Install a newer Node: SQLite comes with it.',
  },
  'secret-files': {
    what: 'who else may read or change the files with secrets, and write into their folders',
    why: 'Anyone who reads them can act as the bot, or owns the homeserver.',
    fix: 'Remove the access with chmod.',
  },
  'state-folder': {
    what: 'who else can read the state folder',
    why: 'It shows who asked for what; anyone who can write there can replace our files.',
    fix: 'Remove the access with chmod.',
  },
  'disk-space': {
    what: 'the free space for the state folder',
    why: 'On a full disk nothing is minted, because nothing may be minted without a record, and revocations cannot be recorded.',
    fix: 'Free some space; the service continues by itself.',
  },
  'sealing-key': {
    what: 'the sealing key exists, and is the one that sealed the ledger and the saved identity',
    why: "Without it no upstream token can be used or killed, and the bot's identity cannot be restored.",
    fix: 'Restore the earlier key file from its backup.',
  },
  seeds: {
    what: 'the bot’s cross-signing keys are saved next to the sealing key, which opens them',
    why: 'They let a bot that lost its encryption store keep its identity.',
    fix: 'Restart the service: it saves them at every start while its encryption store is intact.',
  },
  homeserver: {
    what: 'the homeserver answers at homeserver.url',
    why: 'Nothing works without it.',
    fix: 'Start the homeserver, or correct homeserver.url.',
  },
  transport: {
    what: 'nobody can listen on the connection to the homeserver',
    why: 'The issuer’s token and every upstream token are sent there.',
    fix: 'Use https, or make sure that the network in between is trusted.',
  },
  proxy: {
    what: 'whether the homeserver is reached through a proxy named in the environment (as doctor was started)',
    why: 'All connections follow one rule, that of Node: http_proxy, https_proxy and no_proxy count only with NODE_USE_ENV_PROXY=1.',
    fix: 'Set NODE_USE_ENV_PROXY=1 for the service if the proxy is to be used; otherwise take the variables away.',
  },
  'admin-api': {
    what: 'Synapse’s admin API is reachable there',
    why: 'It creates the tokens.',
    fix: 'Set homeserver.url to the address Synapse itself listens on; proxies often hide /_synapse/admin.',
  },
  'synapse-version': {
    what: 'the version of Synapse',
    why: 'Older versions lack what is needed, or have known security holes.',
    fix: 'Upgrade Synapse.',
  },
  logins: {
    what: 'Synapse handles logins itself',
    why: 'With the Matrix Authentication Service, Synapse creates no tokens for other users.',
    fix: 'None: this version of Mintwarden needs a Synapse that handles logins itself.',
  },
  clock: {
    what: "the clock of this machine against the homeserver's",
    why: 'Tokens would end too early or too late, and new commands would seem old.',
    fix: 'Synchronize both machines by NTP.',
  },
  ...ACCOUNT_CHECKS,
  'control-room': {
    what: 'the bot is in the control room',
    why: 'Otherwise it hears no commands.',
    fix: 'Invite the bot there; it joins by itself while it runs.',
  },
  'control-room-encryption': {
    what: 'the control room is encrypted',
    why: 'The homeserver could read and forge commands; the bot refuses them.',
    fix: 'Turn on encryption in the room’s settings.',
  },
  'control-room-access': {
    what: 'the control room can only be entered by invitation',
    why: 'Otherwise anyone could read it, and the bot refuses commands there.',
    fix: 'Set it to "Private (invite only)" in its settings, and disallow guests.',
  },
  'control-room-history': {
    what: 'only members can read the history of the control room',
    why: 'It shows who may do what to whom.',
    fix: 'Restrict its history to members in its settings.',
  },
  'control-room-members': {
    what: 'only the admins and the bot are in the control room',
    why: 'Others would read what is minted, and may not give commands.',
    fix: 'Remove them, or add them to admins.',
  },
  'control-room-admins': {
    what: 'every admin is in the control room',
    why: 'They cannot give commands.',
    fix: 'Invite them; they must accept.',
  },
  'control-room-power': {
    what: 'only the admins and the bot can change the control room, and at least one of them can',
    why: 'Anyone who can change it can open it to others, or lock the bot out.',
    fix: 'Set the room’s power levels in its settings: ordinary members may only send messages.',
  },
  'bot-device': {
    what: 'the keys of the bot’s session are at the homeserver, and their store is here',
    why: 'Without them the bot can neither read commands nor send tokens.',
    fix: 'Stop the service, run mintwarden init, start it again: the bot gets a new session and signs it with its saved identity.',
  },
  'bot-device-signed': {
    what: "the bot's session is signed by the bot's own identity",
    why: 'Otherwise clients warn about messages from it, and clients that require verified devices exclude it.',
    fix: 'Restart the service: it repairs this at every start. If it cannot, its log says why.',
  },
  'to-device': {
    what: 'how many messages between devices (room keys and the like) the bot refused in the last days',
    why: 'Anyone on the homeserver can send them by the thousand. The bot takes them only from people it has something to do with, each at a pace; whoever sends it more may be trying to fill it.',
    fix: 'Lock the account that sends them, at the homeserver.',
  },
  ledger: {
    what: 'the ledger can be opened, and has this version’s format',
    why: 'It holds every grant: without it nothing is minted, and no token is valid.',
    fix: 'Follow the message.',
  },
  'ledger-integrity': {
    what: 'the ledger’s file is intact',
    why: 'What is missing may be a revocation.',
    fix: 'Stop the service, set the damaged files aside, and restore the newest intact copy of the state folder.',
  },
  'audit-chain': {
    what: 'the audit is as it was written: no row changed, missing, cut off or moved',
    why: 'Someone who could write to the ledger changed its history; nothing else in it can be trusted either.',
    fix: 'Keep a copy of the state folder, find out who had access to it, and restore a copy from before.',
  },
  'orphan-leases': {
    what: 'no upstream token is alive without being in use',
    why: 'Nobody holds them; each expires by itself.',
    fix: 'Wait until they expire, or see !status in the control room.',
  },
  service: {
    what: 'the service is running on this state folder',
    why: 'Tokens only work at a running gateway, and due work is done by the running service.',
    fix: 'Start it.',
  },
  'gateway-listen': {
    what: 'the gateway has its port, or can get it',
    why: 'If another program has the port, or the address is not this machine’s, the service cannot start, or holders reach something else.',
    fix: 'Stop the program that listens there, or change gateway.listen.',
  },
  'public-address': {
    what: 'a request with a scoped token to gateway.public_url reaches this gateway',
    why: 'Holders are told to use this address. Anywhere else their tokens do not work, and are shown to a stranger.',
    fix: 'Make the proxy pass every request with a scoped token to the gateway, with its path unchanged, or correct gateway.public_url.',
  },
  'client-api-beside': {
    what: 'what answers at gateway.public_url to requests without a scoped token',
    why: 'The homeserver may answer there, for people. It refuses scoped tokens, so nobody gets past a scope that way, but it sees a token that the proxy sends there by mistake.',
    fix: 'Nothing needs fixing.',
  },
  'trusted-proxies': {
    what: 'where requests seem to come from, as the gateway sees it',
    why: '--from depends on it.',
    fix: 'Make the proxy append the address to X-Forwarded-For or overwrite the header, and list the proxy in gateway.trusted_proxies.',
  },
  'gateway-limits': {
    what: 'gateway.limits beside the homeserver’s own limits',
    why: 'What a token writes uses up its user’s own rate at the homeserver: a token that may write faster keeps its user from writing, and runs into refusals. Files that only the homeserver refuses are sent in vain.',
    fix: 'Compare gateway.limits with rc_message and max_upload_size in homeserver.yaml.',
  },
  'control-socket': {
    what: 'the socket of mintwarden exec is accessible only to its owner, and answers',
    why: 'Anyone who can open it can give commands as the operator.',
    fix: 'Restart the service: it creates the socket again.',
  },
} as const satisfies Readonly<Record<string, Check>>;

/** The name of a check. */
export type CheckId = keyof typeof CHECKS;
