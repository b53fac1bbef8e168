import { createInterface } from 'node:readline';
import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { asJson } from '../exec/client/as-json.ts';
import { exitStatus, STATUS } from '../exec/client/exit-status.ts';
import { runLine, type RunResult } from '../exec/client/run-line.ts';
import { socketPathError } from '../exec/server/socket-file.ts';
import { controlSocketFile } from '../paths.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import { textOf, type CliCommand, type Flags } from './command.ts';
import { prompt } from './prompt.ts';

const LINE = 'COMMAND';

/** `mintwarden exec`: the commands of the control room, given at the machine. */
export const exec: CliCommand = {
  name: 'exec',
  summary: 'give the running service a command of the control room, as its operator',
  usage: "['COMMAND'] [--json] [--config FILE]",
  passthrough: LINE,
  flags: [
    { name: 'json', value: null, help: 'answer in one line of JSON, for programs (docs/exec.md)' },
    {
      name: 'id',
      value: 'ID',
      help: 'ask again after a lost answer: under the same id nothing is done twice',
    },
    {
      name: 'socket',
      value: 'FILE',
      help: 'the service’s socket (default: control.sock in the state_dir of the configuration)',
    },
    { name: 'no-history', value: null, help: 'remember nothing of what is typed at the prompt' },
    CONFIG_FLAG,
  ],
  notes: [
    'mintwarden exec list                    what speaks for whom',
    "mintwarden exec 'mint @alice --rooms !x --ttl 1h --to @bob'",
    "mintwarden exec 'mint @alice --rooms !x --ttl 1h --out token.txt'",
    'mintwarden exec help                    all there is; help mint says more of one',
    'mintwarden exec reload                  read the policy again',
    '',
    'Without a command it asks for one after the other; where the input is no terminal it runs its lines, up to the first',
    'that fails. A token is never printed: it goes to somebody by --to, or into a new file by --out.',
    'Exit status: 0 done, 1 failed, 2 not understood, 3 the service is not running, 4 not allowed.',
  ],
  run: async (flags) => {
    const json = flags['json'] === true;
    const parts = { socket: await socketOf(flags), folder: process.cwd(), id: idOf(flags) };
    const line = textOf(flags, LINE);
    if (line !== null) return printResult(await runLine(line, parts), json);
    if (parts.id !== null)
      throw new MintwardenError(
        'usage',
        '--id is for one command.',
        'Name the command that was asked under it.',
      );
    if (process.stdin.isTTY && !json) return prompt(parts, flags['no-history'] !== true);
    return runInput(parts, json);
  },
};

/** Prints what came of a command: answers to stdout, what went wrong to stderr. */
function printResult(ran: RunResult, json: boolean): number {
  if (json) console.log(asJson(ran));
  else if (ran.error === null) console.log(ran.words);
  else console.error(ran.words);
  return exitStatus(ran.error);
}

/**
 * Runs the lines of the input, up to the first that fails. Empty ones and those that begin with # are passed
 * over.
 */
async function runInput(parts: Parameters<typeof runLine>[1], json: boolean): Promise<number> {
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    const status = printResult(await runLine(line, parts), json);
    if (status !== STATUS.done) return status;
  }
  return STATUS.done;
}

async function socketOf(flags: Flags): Promise<string> {
  const file = textOf(flags, 'socket') ?? controlSocketFile(await loadConfig(configFile(flags), process.env));
  const fault = socketPathError(file);
  if (fault !== null) throw fault;
  return file;
}

function idOf(flags: Flags): string | null {
  const id = textOf(flags, 'id');
  if (id === null || /^[A-Za-z0-9_-]{8,64}$/.test(id)) return id;
  throw new MintwardenError(
    'usage',
    'An id is 8 to 64 letters, digits, - and _.',
    'mintwarden exec --help shows what it takes.',
  );
}
