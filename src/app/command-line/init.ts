import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { MintwardenError } from '../../domain/errors.ts';
import { createLog } from '../../telemetry/log.ts';
import { init } from '../init/init.ts';
import { textOf, type CliCommand, type Flags } from './command.ts';
import { calledAs } from './called-as.ts';
import { askHidden } from './ask-hidden.ts';

const HELP = 'mintwarden init --help shows what it takes.';

/** `mintwarden init`: flags for scripts, questions where there is a terminal and a flag is missing. */
export const initCommand: CliCommand = {
  name: 'init',
  summary: 'set Mintwarden up: accounts, secrets, control room, configuration',
  usage: '--homeserver URL --public-url URL --admins @you:example.org [--dir DIR] …',
  flags: [
    { name: 'homeserver', value: 'URL', help: 'where Synapse answers, as seen from this machine; its admin API must be reachable' },
    { name: 'public-url', value: 'URL', help: 'where holders of tokens will reach the gateway: https, unless on this machine' },
    { name: 'admins', value: 'USERS', help: 'who may give commands: user ids or @names, with commas between them' },
    {
      name: 'admin-token-file',
      value: 'FILE',
      help: 'a file with an administrator’s access token; $MINTWARDEN_ADMIN_TOKEN works too, and it is asked for otherwise',
    },
    { name: 'dir', value: 'DIR', help: 'where bot.yaml, secrets/ and state/ go (default: this folder)' },
    { name: 'listen', value: 'HOST:PORT', help: 'where the gateway listens (default: 127.0.0.1:8009)' },
    { name: 'bot', value: 'NAME', help: 'the bot’s name (default: mintwarden)' },
    { name: 'issuer', value: 'NAME', help: 'the issuer account’s name (default: mintwarden-issuer)' },
    { name: 'force', value: null, help: 'write bot.yaml anew where there is one' },
  ],
  notes: [
    'The administrator’s token is used now and kept nowhere. Running it again does no harm: it looks at what is there',
    'first, and goes on where it was cut off. To change an answer later, edit bot.yaml, or use --force.',
  ],
  run: async (flags) => {
    const homeserverUrl = await said(flags, 'homeserver', 'Where does Synapse answer (for example http://127.0.0.1:8008)? ');
    const publicUrl = await said(flags, 'public-url', 'Where will holders of tokens reach the gateway (https://…)? ');
    const admins = await said(flags, 'admins', 'Who may give commands (user ids, with commas)? ');
    const listen = textOf(flags, 'listen');
    const bot = textOf(flags, 'bot');
    const issuer = textOf(flags, 'issuer');
    const { configFile } = await init({
      homeserverUrl,
      publicUrl,
      adminToken: await adminToken(flags),
      admins: [...new Set(admins.split(',').map((name) => name.trim()))].filter((name) => name !== ''),
      directory: textOf(flags, 'dir') ?? '.',
      ...(listen === null ? {} : { listen }),
      ...(bot === null ? {} : { botLocalpart: bot }),
      ...(issuer === null ? {} : { issuerLocalpart: issuer }),
      force: flags['force'] === true,
      out: (line) => console.log(line),
      log: createLog({ level: 'warn', pretty: true }),
    });
    const program = calledAs({ script: process.argv[1] ?? '', folder: process.cwd(), npmScript: process.env['npm_lifecycle_event'] });
    console.log(`Next: ${program} start --config ${configFile}`);
    console.log('Then accept the invitation to the control room, from a client you have verified, and type !help there.');
    console.log(`If something does not work: ${program} doctor --config ${configFile}`);
    return 0;
  },
};

async function said(flags: Flags, name: string, question: string): Promise<string> {
  const value = textOf(flags, name);
  if (value !== null) return value;
  if (!process.stdin.isTTY) throw new MintwardenError('usage', `--${name} is missing.`, HELP);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = (await terminal.question(question)).trim();
    if (answer === '') throw new MintwardenError('usage', 'Without an answer there is nothing to set up.', HELP);
    return answer;
  } finally {
    terminal.close();
  }
}

async function adminToken(flags: Flags): Promise<string> {
  const file = textOf(flags, 'admin-token-file');
  if (file !== null) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new MintwardenError(
        'usage',
        `The administrator’s token could not be read from ${file}.`,
        'Name a file with the token alone in it.',
        { cause: error },
      );
    });
    if (text.trim() !== '') return text.trim();
    throw new MintwardenError('usage', `${file} is empty.`, 'Put the administrator’s access token into it.');
  }
  const fromEnvironment = process.env['MINTWARDEN_ADMIN_TOKEN']?.trim() ?? '';
  if (fromEnvironment !== '') return fromEnvironment;
  if (process.stdin.isTTY) return askHidden('Access token of a server administrator (nothing shows): ');
  throw new MintwardenError(
    'usage',
    'An administrator’s access token is missing.',
    'Give it by --admin-token-file or $MINTWARDEN_ADMIN_TOKEN.',
  );
}
