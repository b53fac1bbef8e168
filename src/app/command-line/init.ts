import { MintwardenError } from '../../domain/errors.ts';
import { loadConfig } from '../../config/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { doctor, renderFindings } from '../doctor/index.ts';
import { planLines, prepareInit, type InitOptions, type InitResult } from '../init/index.ts';
import { askYesNo, openTerminal, Interrupted } from './terminal.ts';
import { argv0 } from './argv0.ts';
import { type CliCommand, type Flags } from './command.ts';
import { gatherAnswers } from './init-answers.ts';
import { undoInit } from './init-undo.ts';

/** The exit status of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** `mintwarden init`: flags for scripts, questions where there is a terminal and a flag is missing. */
export const initCommand: CliCommand = {
  name: 'init',
  summary: 'set Mintwarden up: accounts, secrets, control room, configuration; or undo that',
  usage: '--homeserver URL --public-url URL --admins @you:example.org [--dir DIR] … | --undo [--dir DIR] …',
  flags: [
    {
      name: 'homeserver',
      value: 'URL',
      help: 'where Synapse answers, as seen from this machine; its admin API must be reachable',
    },
    {
      name: 'public-url',
      value: 'URL',
      help: 'where holders of tokens will reach the gateway: https, unless on this machine',
    },
    {
      name: 'admins',
      value: 'USERS',
      help: 'who may give commands: user ids or @names, with commas between them',
    },
    {
      name: 'admin-token-file',
      value: 'FILE',
      help: 'a file with an administrator’s access token; $MINTWARDEN_ADMIN_TOKEN works too, and it is asked for otherwise',
    },
    {
      name: 'admin-user',
      value: 'NAME',
      help: 'an administrator to log in as instead, for as long as init runs',
    },
    {
      name: 'admin-password-file',
      value: 'FILE',
      help: 'a file with the password of --admin-user; asked for otherwise',
    },
    { name: 'dir', value: 'DIR', help: 'where bot.yaml, secrets/ and state/ go (default: this folder)' },
    { name: 'listen', value: 'HOST:PORT', help: 'where the gateway listens (default: 127.0.0.1:8009)' },
    { name: 'bot', value: 'NAME', help: 'the bot’s name (default: mintwarden)' },
    {
      name: 'bot-password-file',
      value: 'FILE',
      help: 'the bot’s account is there already, with this password',
    },
    { name: 'issuer', value: 'NAME', help: 'the issuer account’s name (default: mintwarden-issuer)' },
    {
      name: 'issuer-password-file',
      value: 'FILE',
      help: 'the issuer account is there already, with this password',
    },
    {
      name: 'control-room',
      value: 'ROOM',
      help: 'a room to use as control room: encrypted, by invitation, the bot invited',
    },
    { name: 'force', value: null, help: 'write bot.yaml again where there is one' },
    { name: 'dry-run', value: null, help: 'show what would be done, and do nothing' },
    { name: 'yes', value: null, help: 'do not ask whether to go on' },
    { name: 'undo', value: null, help: 'end every grant, then take away what init made' },
    {
      name: 'close',
      value: null,
      help: 'with --undo: make everybody leave the control room, if init made it',
    },
    {
      name: 'deactivate',
      value: null,
      help: 'with --undo: end both accounts though no record says that init made them',
    },
    { name: 'forget', value: null, help: 'with --undo: keep no copy of the ledger and its audit' },
    {
      name: 'untold',
      value: null,
      help: 'with --undo: go on though the control room and the people concerned cannot be told',
    },
  ],
  notes: [
    'The administrator’s token is used now and kept nowhere. It shows what it will do first, and asks where there is a',
    'terminal; in a script it goes on by itself, but --undo wants --yes there. Running it again does no harm: it looks at',
    'what is there first, and goes on where it was cut off. To change an answer later, edit bot.yaml, or use --force.',
  ],
  run: async (flags) => {
    checkFlags(flags);
    let begun = false;
    const stopped = (): number => {
      console.error(
        begun
          ? 'Stopped in between. Run it again: it goes on where it was.'
          : 'Stopped. Nothing was changed.',
      );
      return INTERRUPTED;
    };
    const onSignal = (): void => process.exit(stopped());
    process.once('SIGINT', onSignal);
    const begin = (): void => {
      begun = true;
    };
    try {
      return flags['undo'] === true
        ? await undoInit(flags, begin, onSignal)
        : await setUp(flags, begin, onSignal);
    } catch (error) {
      if (error instanceof Interrupted) return stopped();
      throw error;
    } finally {
      process.off('SIGINT', onSignal);
    }
  },
};

/** Flags that make no sense together. */
function checkFlags(flags: Flags): void {
  const wrong = (what: string): never => {
    throw new MintwardenError('usage', what, 'mintwarden init --help shows what it takes.');
  };
  const undoing = ['close', 'deactivate', 'forget', 'untold'].find((name) => flags[name] === true);
  if (undoing !== undefined && flags['undo'] !== true) wrong(`--${undoing} goes with --undo.`);
  if (flags['admin-user'] === undefined && flags['admin-password-file'] !== undefined)
    wrong('--admin-password-file goes with --admin-user.');
}

async function setUp(flags: Flags, begin: () => void, onStopped: () => void): Promise<number> {
  let result: InitResult | null;
  {
    await using answers = await gatherAnswers(flags, onStopped);
    result = await planAndCarryOut(flags, answers.options, begin, onStopped);
  }
  if (result !== null) await report(result);
  return 0;
}

/** Shows the plan, asks, and carries it out; null: it was not to be. */
async function planAndCarryOut(
  flags: Flags,
  options: InitOptions,
  begin: () => void,
  onStopped: () => void,
): Promise<InitResult | null> {
  const prepared = await prepareInit(options);
  console.log(planLines(prepared.plan).join('\n'));
  if (flags['dry-run'] === true) {
    console.log('Nothing was changed (--dry-run).');
    return null;
  }
  if (flags['yes'] !== true && process.stdin.isTTY) {
    using terminal = openTerminal(onStopped);
    if (!(await askYesNo(terminal, 'Go on?'))) {
      console.log('Nothing was changed.');
      return null;
    }
  }
  begin();
  return prepared.carryOut();
}

/** Lets doctor look, and says what comes next. What doctor finds does not undo what was done. */
async function report({ configFile }: InitResult): Promise<void> {
  const config = await loadConfig(configFile, process.env);
  const findings = await doctor(config, createLog({ level: 'error', pretty: true }));
  const bad = findings.filter(({ severity }) => severity === 'fail');
  if (bad.length > 0) process.stdout.write(renderFindings(bad));
  else console.log('doctor looked at everything: nothing must be fixed before the first start.');
  const program = argv0({
    script: process.argv[1] ?? '',
    folder: process.cwd(),
    npmScript: process.env['npm_lifecycle_event'],
  });
  const { host, port } = config.gateway.listen;
  console.log(`Next: 1. ${program} start --config ${configFile}`);
  console.log(
    'Then 2. accept the invitation to the control room, from a client you have verified, and type !help there.',
  );
  const look = `look whether all is well: ${program} doctor --config ${configFile}`;
  // Only an address of this machine may be http, and needs no proxy.
  if (config.gateway.public_url.startsWith('https:'))
    console.log(
      `Then 3. let your TLS proxy send ${config.gateway.public_url} to ${host}:${String(port)}, and ${look}`,
    );
  else
    console.log(
      `Then 3. ${look}\nTokens are good on this machine alone, until gateway.public_url is the https address of a TLS proxy.`,
    );
}
