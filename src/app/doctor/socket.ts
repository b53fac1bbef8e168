import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Config } from '../../config/index.ts';
import { controlSocketFile } from '../paths.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { shellQuote } from './shell.ts';

const TIMEOUT_MS = 5_000;

/** The socket of the running service. Opened and closed again: no command is given. */
export async function checkSocket(config: Config): Promise<readonly Finding[]> {
  if (process.platform === 'win32') return [];
  const id = 'control-socket';
  const file = controlSocketFile(config);
  let mode: number;
  try {
    mode = (await stat(file)).mode;
  } catch {
    return [
      warn(id, `There is no socket at ${file}: mintwarden exec cannot be used.`, {
        fix: 'Restart the service: it makes the socket, or its log says why it cannot.',
      }),
    ];
  }
  if ((mode & 0o077) !== 0)
    return [
      fail(id, `Others may open ${file}.`, {
        fix: 'Take the access away.',
        command: `chmod 600 ${shellQuote(file)}`,
      }),
    ];
  return [
    (await isListening(file))
      ? ok(id, `The service answers at ${file}.`)
      : fail(id, `Nobody answers at ${file}.`),
  ];
}

function isListening(file: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(file);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  socket.once('connect', () => {
    resolve(true);
    socket.destroy();
  });
  socket.on('error', () => resolve(false));
  socket.on('close', () => resolve(false));
  return promise;
}
