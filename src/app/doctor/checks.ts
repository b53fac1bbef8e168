/** What is said of a check, whatever it finds. */
type Check = {
  /** What is looked at. */
  readonly what: string;
  /** Why it matters. */
  readonly why: string;
  /** What mends it, where a finding does not say more exactly. */
  readonly mend: string;
};

/**
 * Every check, in the order they are made. The names are fixed, so that scripts can look for them; a check
 * that rests on another one that failed is left out of the findings.
 */
export const CHECKS = {
  configuration: {
    what: 'the configuration can be read: every key, the secret files, their modes',
    why: 'Without it nothing starts.',
    mend: 'Do what the sentence says; mintwarden config check shows it again.',
  },
  'node-version': {
    what: 'the version of Node',
    why: 'Mintwarden is written for it; older ones lack what it needs.',
    mend: 'Install a Node that is new enough.',
  },
  'sqlite-version': {
    what: 'the version of SQLite within Node',
    why: 'The ledger is kept by it: some versions can damage a database.',
    mend: 'Install a newer Node: SQLite comes with it.',
  },
  'secret-files': {
    what: 'who else may read or change the files with secrets, and write into their folders',
    why: 'Whoever reads them is the bot, or owns the homeserver.',
    mend: 'Take the access away with chmod.',
  },
  'state-folder': {
    what: 'who else may look into the state folder',
    why: 'Who asked for what is in there; who may write there can put their own files in place of ours.',
    mend: 'Take the access away with chmod.',
  },
  'disk-space': {
    what: 'the room left where the state folder is',
    why: 'On a full disk nothing is minted, since nothing may be minted without a record, and no revocation can be written down.',
    mend: 'Free some space there; the service goes on by itself.',
  },
  'sealing-key': {
    what: 'the sealing key is there, and is the one that the ledger and the saved identity were sealed with',
    why: "Without it no upstream token can be used or killed, and the bot's identity cannot be restored.",
    mend: 'Put the earlier key file back from its backup.',
  },
  seeds: {
    what: "the bot's cross-signing keys are saved beside the sealing key, and open with it",
    why: 'By them a bot that lost its encryption store is still the same one to everybody.',
    mend: 'Restart the service: it saves them at every start while its encryption store is whole.',
  },
  homeserver: {
    what: 'the homeserver answers where homeserver.url says',
    why: 'Nothing works without it.',
    mend: 'Start the homeserver, or correct homeserver.url.',
  },
  transport: {
    what: 'the way to the homeserver cannot be listened to',
    why: "The issuer's token and every upstream token go there.",
    mend: 'Use https, or make sure that only a network you trust lies between.',
  },
  'admin-api': {
    what: "Synapse's admin API can be reached there",
    why: 'Tokens are made by it.',
    mend: 'Point homeserver.url at the address Synapse itself listens on; proxies often hide /_synapse/admin.',
  },
  'synapse-version': {
    what: 'the version of Synapse',
    why: 'Older ones lack what is needed, or have holes that are known.',
    mend: 'Upgrade Synapse.',
  },
  logins: {
    what: 'Synapse does logins itself',
    why: 'Under the Matrix Authentication Service Synapse makes no tokens for others.',
    mend: 'This version of Mintwarden works only where Synapse does logins itself.',
  },
  clock: {
    what: "the clock of this machine against the homeserver's",
    why: 'Tokens would end too early or too late, and fresh commands look old.',
    mend: 'Let both machines keep their time by NTP.',
  },
  'issuer-token': {
    what: 'the issuer is logged in',
    why: 'Nothing can be minted or looked up, and nothing killed.',
    mend: 'Run mintwarden init again: it logs the account in anew.',
  },
  'issuer-rights': {
    what: 'the issuer is a server administrator',
    why: 'Only one may make tokens for others.',
    mend: 'Give it the right.',
  },
  'issuer-rate-limit': {
    what: 'no exception from the rate limits is set for the issuer',
    why: 'Tokens it makes have the same exception: every holder could send without limit in the name of its subject.',
    mend: 'Remove the exception.',
  },
  'issuer-sessions': {
    what: 'the issuer has one session, ours',
    why: 'Whoever has another one owns the homeserver.',
    mend: 'End the sessions that are not yours to have.',
  },
  'issuer-consent': {
    what: 'the issuer is marked as a bot',
    why: 'Where the homeserver asks for consent to its terms, it asks this account too, and everything it does fails until then.',
    mend: 'Mark it.',
  },
  'bot-account': {
    what: 'the account of the bot is there, neither deactivated nor locked',
    why: 'The bot cannot chat: no command is heard, nobody is told anything.',
    mend: 'Bring the account back to life, then run mintwarden init again.',
  },
  'bot-token': {
    what: 'the bot is logged in',
    why: 'The bot cannot chat: no command is heard, nobody is told anything.',
    mend: 'Run mintwarden init again: it logs the account in anew.',
  },
  'bot-rights': {
    what: 'the bot is no server administrator',
    why: 'Whoever takes the bot over would own the homeserver.',
    mend: 'Take the right away.',
  },
  'bot-rate-limit': {
    what: "the bot's rate limits are lifted",
    why: 'After ten messages a notice would wait for a minute, and the token with it.',
    mend: 'Lift them.',
  },
  'bot-sessions': {
    what: 'the bot has one session, ours',
    why: 'Another one could speak as the bot, and might read the control room.',
    mend: 'End the sessions that are not yours to have.',
  },
  'bot-consent': {
    what: 'the bot is marked as a bot',
    why: 'Where the homeserver asks for consent to its terms, it asks this account too, and everything it does fails until then.',
    mend: 'Mark it.',
  },
  admins: {
    what: 'the accounts of the admins are there',
    why: 'They can give no commands.',
    mend: 'Take them out of admins, or mend the account.',
  },
  'admin-identities': {
    what: 'every admin has an identity that signs their devices',
    why: 'The bot obeys commands from verified devices alone, and sends tokens to no others.',
    mend: 'Let them set up secure backup in their client (in Element: All settings, Encryption), then verify the session they use.',
  },
  'admin-pins': {
    what: "every admin's identity is the one first seen",
    why: 'A server administrator can replace anybody’s identity: the bot obeys the new one only after an operator has confirmed it.',
    mend: 'Compare it with the person, then confirm it.',
  },
  'control-room': {
    what: 'the bot is in the control room',
    why: 'It hears no commands.',
    mend: 'Invite the bot there; it joins by itself while it runs.',
  },
  'control-room-encryption': {
    what: 'the control room is encrypted',
    why: 'The homeserver could read and forge commands; the bot refuses them.',
    mend: 'Turn encryption on in the settings of the room.',
  },
  'control-room-access': {
    what: 'the control room can be entered by invitation alone',
    why: 'Everybody could read along; the bot refuses commands there.',
    mend: 'Set it to "Private (invite only)" in its settings, and forbid guests.',
  },
  'control-room-history': {
    what: 'the history of the control room is for its members',
    why: 'Who may do what to whom is in there.',
    mend: 'Limit its history to members in its settings.',
  },
  'control-room-members': {
    what: 'nobody but the admins and the bot is in the control room',
    why: 'They read what is minted, and may give no commands.',
    mend: 'Remove them, or add them to admins.',
  },
  'control-room-admins': {
    what: 'every admin is in the control room',
    why: 'They can give no commands.',
    mend: 'Invite them, and let them accept.',
  },
  'control-room-power': {
    what: 'nobody but the admins and the bot may change the control room, and somebody of them may',
    why: 'Whoever may change it can open it to others, or lock the bot out.',
    mend: 'Set the levels of the room in its settings: nothing but sending messages for ordinary members.',
  },
  'bot-device': {
    what: "the keys of the bot's session are at the homeserver, and the store that they belong to is here",
    why: 'Without them the bot can neither read commands nor send tokens.',
    mend: 'Stop the service, run mintwarden init, start it: the bot gets a new session and signs it with its saved identity.',
  },
  'bot-device-signed': {
    what: "the bot's session is signed by the bot's own identity",
    why: "People's clients warn about messages from it, and those that ask for verified devices do not let it read or write.",
    mend: 'Restart the service: it repairs this at every start. If it cannot, its log says why.',
  },
  ledger: {
    what: 'the ledger can be opened, and is of this version',
    why: 'Every grant stands in it: without it nothing is minted, and no token is good.',
    mend: 'Do what the sentence says.',
  },
  'ledger-integrity': {
    what: 'the file of the ledger is whole',
    why: 'What it lost may be a revocation.',
    mend: 'Stop the service, keep the damaged files aside, and bring the newest good copy of the state folder back.',
  },
  'audit-chain': {
    what: 'the audit is what was written: no row changed, left out, cut off or put elsewhere',
    why: 'Somebody who could write to the ledger changed what is told of the past; nothing else in it can be relied on either.',
    mend: 'Keep a copy of the state folder, find out who had access to it, and bring a copy from before back.',
  },
  'orphan-leases': {
    what: 'no upstream token is alive without being of use',
    why: 'Nobody holds them; each dies at its own end.',
    mend: 'Wait for their ends, or see !status in the control room.',
  },
  service: {
    what: 'the service runs on this state folder',
    why: 'Tokens are good at the running gateway alone, and what is due is done by the running service.',
    mend: 'Start it.',
  },
  'gateway-listen': {
    what: 'the gateway has its port, or could have it',
    why: 'Another program has the port, or the address is not this machine’s: the service cannot start, or holders meet something else.',
    mend: 'Stop what listens there, or change gateway.listen.',
  },
  'public-address': {
    what: 'a request with a scoped token to gateway.public_url comes out at this very gateway',
    why: 'Holders are told to use this address: elsewhere their tokens are good for nothing, and are shown to somebody else.',
    mend: 'Let the proxy pass everything with a scoped token to the gateway, without changing the path, or correct gateway.public_url.',
  },
  'client-api-beside': {
    what: 'what answers at gateway.public_url to requests without a scoped token',
    why: 'The homeserver may answer there, for people: it knows no scoped token and refuses each, so nobody gets past a scope by that; but a token that a proxy sends there by mistake is then seen by the homeserver.',
    mend: 'Nothing needs to be done.',
  },
  'trusted-proxies': {
    what: 'where requests seem to come from, to the gateway',
    why: 'By that --from is judged.',
    mend: 'Let the proxy add the address to X-Forwarded-For, never pass it on as it came, and name the proxy in gateway.trusted_proxies.',
  },
  'control-socket': {
    what: 'the socket by which mintwarden exec speaks to the service is for its owner alone, and answers',
    why: 'Whoever can open it gives commands as the operator.',
    mend: 'Restart the service: it makes the socket anew.',
  },
} as const satisfies Readonly<Record<string, Check>>;

/** The name of a check. */
export type CheckId = keyof typeof CHECKS;

/** Where the table stands in `docs/doctor.md`. */
export const TABLE_BEGINS = '<!-- What follows is made by `npm run docs`. -->';

/** The checks as a table in Markdown. */
export function checksInMarkdown(): string {
  const rows = Object.entries<Check>(CHECKS).map(
    ([id, { what, why, mend }]) => `| \`${id}\` | ${what} | ${why} | ${mend} |`,
  );
  return (
    [
      '| check | what is looked at | why it matters | what mends it |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n') + '\n'
  );
}
