import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { outFileOf } from '../../../bot/operator-command.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import { operatorName, type ExecError } from '../protocol.ts';
import { sendRequest, type ExecReply } from './send-request.ts';
import { openOutFile, type OutFile } from './out-file.ts';

/** What running a line takes. */
export type RunOptions = {
  readonly socket: string;
  /** Where relative names of files begin. */
  readonly folder: string;
  /** The request's id; null: a new one. */
  readonly id: string | null;
};

/** A reply, and the file that a token is in now. */
export type RunResult = ExecReply & { readonly out: string | null };

/**
 * Has the service run a line. Where the line names a file for a token, it is made sure of first that it can
 * be written. Never throws.
 */
export async function runLine(line: string, { socket, folder, id }: RunOptions): Promise<RunResult> {
  const name = outFileOf(line);
  let file: OutFile | null = null;
  try {
    file = name === null ? null : await openOutFile(name, folder);
  } catch (error) {
    return { ...refused(error), out: null };
  }
  await using target = file;
  let kept = false;
  const keep = async (token: string): Promise<void> => {
    if (target === null) throw new MintwardenError('internal', 'No token was asked for.');
    await target.keep(token);
    kept = true;
  };
  const request = { id: id ?? randomBytes(12).toString('hex'), operator: whoami(), line };
  const reply = await sendRequest(socket, request, keep);
  const out = kept && target !== null ? target.path : null;
  if (out === null) return { ...reply, out };
  const where =
    reply.error === null
      ? `The token is in ${out}, which only you can read.`
      : `The token was written into ${out}, but the service did not confirm that it is delivered: see ‘show’, and remove the file if the grant is over.`;
  return { ...reply, out, words: `${reply.words}\n\n${where}`.trim() };
}

function refused(error: unknown): ExecReply {
  const told: ExecError =
    error instanceof MintwardenError
      ? { code: error.code, message: error.message, next: error.hint }
      : { code: 'internal', message: 'Something went wrong with the file.', next: null };
  return { command: null, words: [told.message, told.next ?? ''].join('\n\n').trim(), data: {}, error: told };
}

/** Who is at the terminal, as far as this process can tell. A container's user may have no name. */
function whoami(): string {
  try {
    return operatorName(userInfo().username);
  } catch {
    return `uid-${String(process.getuid?.() ?? 'unknown')}`;
  }
}
