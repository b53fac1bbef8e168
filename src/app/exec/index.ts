import { MintwardenError } from '../../domain/errors.ts';
import type { OperatorServices } from '../../bot/operator-command.ts';
import type { Log } from '../../ports/log.ts';
import type { ReloadPolicy } from '../reload-policy.ts';
import { allOperatorCommands } from './operator-commands.ts';
import { type ControlSocket, startControlSocket } from './server/control-socket.ts';
import { createResponder } from './server/respond.ts';

/**
 * Lets operators give commands by the control socket. Where that cannot be, the service runs without, and the
 * log says why: what it is there for does not hang on it.
 */
export async function startExec(
  file: string,
  parts: Omit<OperatorServices, 'commands'> & { readonly reload: ReloadPolicy; readonly log: Log },
): Promise<ControlSocket> {
  const { services, requests, reload, log } = parts;
  try {
    return await startControlSocket(
      file,
      createResponder({ services, requests, commands: allOperatorCommands(reload) }),
      log,
    );
  } catch (error) {
    const { message, hint } =
      error instanceof MintwardenError ? error : { message: 'unexpected', hint: null };
    log.error('exec does not work', { problem: message, next: hint });
    return { stop: async () => undefined };
  }
}
