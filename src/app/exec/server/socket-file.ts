import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { MintwardenError } from '../../../domain/errors.ts';
import { privateFolder } from '../../private-files.ts';
import { errorCode } from '../../error-code.ts';

/**
 * The longest name of a socket that Linux takes (unix(7): 108 bytes with the closing zero); elsewhere it is
 * shorter still.
 */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Why no socket can be at a place; null: nothing is known against it.
 */
export function socketPathError(file: string): MintwardenError | null {
  if (process.platform === 'win32') {
    return new MintwardenError(
      'configuration',
      'There are no sockets of this kind on Windows: exec does not work there.',
    );
  }
  const bytes = Buffer.byteLength(file);
  if (bytes <= MAX_PATH_BYTES) return null;
  return new MintwardenError(
    'configuration',
    `The control socket’s path is ${String(bytes)} bytes long, and the system takes ${String(MAX_PATH_BYTES)}: ${file}`,
    'Choose a state_dir with a shorter path.',
  );
}

/**
 * Makes room for the socket: its folder is made private, and the socket of a process that is gone is removed.
 * Whatever else stands there is left alone.
 * @throws MintwardenError `configuration` | `state`
 */
export async function prepareSocketPath(file: string): Promise<void> {
  const fault = socketPathError(file);
  if (fault !== null) throw fault;
  await privateFolder(dirname(file));
  const there = await lstat(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw new MintwardenError('state', `${file} cannot be looked at (${errorCode(error)}).`, null, {
      cause: error,
    });
  });
  if (there === null) return;
  // lstat: a link is what it is here, whatever it leads to.
  if (!there.isSocket())
    throw new MintwardenError(
      'state',
      `${file} is in the way, and is no socket.`,
      'See what it is, then remove it.',
    );
  if (await isListening(file)) {
    throw new MintwardenError(
      'state',
      `Another process listens at ${file}.`,
      'Stop it, or give this one a state_dir of its own.',
    );
  }
  await unlink(file);
}

/** Whether a process listens there. */
function isListening(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED'));
  });
}
