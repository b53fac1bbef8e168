import { MintwardenError } from '../../domain/errors.ts';
import { createLog } from '../../telemetry/log.ts';
import {
  parseHomeserverUrl,
  loginForInit,
  inspectHomeserver,
  validatePublicUrl,
  validateAdmins,
  type InitOptions,
} from '../init/index.ts';
import { askUntil, openTerminal, type Terminal } from './terminal.ts';
import { textOf, type Flags } from './command.ts';
import { readAdminToken, readSecretFlag } from './secret-flags.ts';

const SEE_HELP = 'mintwarden init --help shows what it takes.';

/** Everything `init` is told. When it is disposed of, a session that was made for it is logged out. */
export type InitAnswers = AsyncDisposable & { readonly options: InitOptions };

/**
 * The answers: from flags, files and the environment, and where there is a terminal by asking for those that
 * are missing. Each one that is typed is checked at once, and asked for again with what is wrong with it.
 * @throws MintwardenError `usage` where something is missing and there is nobody to ask
 */
export async function gatherAnswers(flags: Flags, onStopped: () => void): Promise<InitAnswers> {
  await using cleanup = new AsyncDisposableStack();
  const log = createLog({ level: 'warn', pretty: true });
  let opened: Terminal | null = null;
  const terminal = (): Terminal => (opened ??= cleanup.use(disposable(openTerminal(onStopped))));
  const isThere = process.stdin.isTTY;
  const given = await readAdminToken(flags);
  if (!isThere) requireAll(flags, given);

  const homeserverUrl = await flagOrAnswer(
    flags,
    'homeserver',
    terminal,
    'Where does Synapse answer (for example http://127.0.0.1:8008)? ',
    async (text) => {
      const url = parseHomeserverUrl(text);
      await inspectHomeserver(url, null, log);
      return url;
    },
  );
  const session = cleanup.use(await adminSession(flags, given, homeserverUrl, terminal));
  const { serverName } = await inspectHomeserver(homeserverUrl, session.token, log);
  const publicUrl = await flagOrAnswer(
    flags,
    'public-url',
    terminal,
    'Where will holders of tokens reach the gateway (https://…)? ',
    validatePublicUrl,
  );
  const admins = await flagOrAnswer(
    flags,
    'admins',
    terminal,
    'Who may give commands (user ids, with commas)? ',
    async (text) => {
      await validateAdmins(splitNames(text), { homeserverUrl, serverName, adminToken: session.token, log });
      return text;
    },
  );

  const [listen, bot, issuer, controlRoom] = ['listen', 'bot', 'issuer', 'control-room'].map((name) =>
    textOf(flags, name),
  );
  const botPassword = await readSecretFlag(flags, 'bot-password-file', 'The bot’s password');
  const issuerPassword = await readSecretFlag(flags, 'issuer-password-file', 'The issuer account’s password');
  const options: InitOptions = {
    homeserverUrl,
    publicUrl,
    adminToken: session.token,
    admins: splitNames(admins),
    directory: textOf(flags, 'dir') ?? '.',
    ...(listen == null ? {} : { listen }),
    ...(bot == null ? {} : { botLocalpart: bot }),
    ...(issuer == null ? {} : { issuerLocalpart: issuer }),
    ...(botPassword === null ? {} : { botPassword }),
    ...(issuerPassword === null ? {} : { issuerPassword }),
    ...(controlRoom == null ? {} : { controlRoom }),
    force: flags['force'] === true,
    out: (line) => console.log(line),
    log,
  };
  // Another one is opened for the last question; two at once would both hear what is typed.
  (opened as Terminal | null)?.[Symbol.dispose]();
  const atEnd = cleanup.move();
  return { options, [Symbol.asyncDispose]: () => atEnd.disposeAsync() };
}

/** Before anything is asked of the homeserver: a script that forgot something hears of it at once. */
function requireAll(flags: Flags, token: string | null): void {
  for (const name of ['homeserver', 'public-url', 'admins'])
    if (textOf(flags, name) === null) throw new MintwardenError('usage', `--${name} is missing.`, SEE_HELP);
  if (
    token !== null ||
    (textOf(flags, 'admin-user') !== null && textOf(flags, 'admin-password-file') !== null)
  )
    return;
  if (textOf(flags, 'admin-user') !== null)
    throw new MintwardenError(
      'usage',
      'The password of --admin-user is missing.',
      'Give it by --admin-password-file.',
    );
  throw new MintwardenError(
    'usage',
    'An administrator’s access token is missing.',
    'Give it by --admin-token-file or $MINTWARDEN_ADMIN_TOKEN, or log in with --admin-user and --admin-password-file.',
  );
}

/** A flag as it is (it is checked with all the others), or the answer to a question. */
async function flagOrAnswer(
  flags: Flags,
  name: string,
  terminal: () => Terminal,
  question: string,
  check: (text: string) => string | Promise<string>,
): Promise<string> {
  const value = textOf(flags, name);
  if (value !== null) return value;
  return askUntil(
    () => terminal().ask(question),
    (text) => {
      if (text === '') throw new MintwardenError('usage', 'This needs an answer; Ctrl-C stops.');
      return check(text);
    },
  );
}

/** A token to set up with: one that is there already, or a session of our own that ends with the set-up. */
async function adminSession(
  flags: Flags,
  given: string | null,
  homeserverUrl: string,
  terminal: () => Terminal,
): Promise<AsyncDisposable & { readonly token: string }> {
  const log = createLog({ level: 'warn', pretty: true });
  const user = textOf(flags, 'admin-user');
  if (user !== null) {
    const password = await readSecretFlag(flags, 'admin-password-file', 'The administrator’s password');
    if (password !== null) return loginForInit(homeserverUrl, user, password, log, console.log);
    return askUntil(
      () => terminal().askHidden(`Password of ${user} (nothing shows): `),
      (typed) => loginForInit(homeserverUrl, user, typed, log, console.log),
    );
  }
  const nothing = { [Symbol.asyncDispose]: async () => {} };
  if (given !== null) return { token: given, ...nothing };
  return askUntil(
    () => terminal().askHidden('Access token of a server administrator (nothing shows): '),
    async (token) => {
      if (token === '')
        throw new MintwardenError('usage', 'Without a token there is nothing to set up with; Ctrl-C stops.');
      await inspectHomeserver(homeserverUrl, token, log);
      return { token, ...nothing };
    },
  );
}

function splitNames(text: string): string[] {
  return [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
}

function disposable(terminal: Terminal): Terminal & AsyncDisposable {
  return { ...terminal, [Symbol.asyncDispose]: async () => terminal[Symbol.dispose]() };
}
