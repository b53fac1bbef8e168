import { grantData } from '../../../bot/reply-data.ts';
import {
  runOperatorCommand,
  type OperatorReply,
  type OperatorServices,
} from '../../../bot/operator-command.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import type { GrantId, Operator } from '../../../domain/ids.ts';
import { deliverToOperator } from '../../../lifecycle/notifications/operator-delivery.ts';
import type { ExecError } from '../protocol.ts';
import type { HandToken, Responder } from './control-socket.ts';

/** How long an operator waits for the subject's notice to be accepted. */
const NOTICE_TIMEOUT_MS = 20_000;

/** Answers operators' requests: runs the command, then hands over the token where one is to be taken. */
export function createResponder(parts: OperatorServices, noticePatienceMs = NOTICE_TIMEOUT_MS): Responder {
  const { services } = parts;
  return async ({ id, operator, line }, hand) => {
    const by: Operator = `operator:${operator}`;
    const answer = await runOperatorCommand(parts, { id, operator: by, line });
    const taken =
      answer.handsOverTokenOf === null
        ? answer
        : await handOverToken(parts, answer, answer.handsOverTokenOf, by, hand, noticePatienceMs);
    // The words of the command are not logged: there may be names and reasons among them.
    services.log.info('operator command', {
      operator,
      command: answer.command,
      ok: taken.error === null,
      code: taken.error?.code ?? null,
    });
    return { command: taken.command, words: taken.text, data: taken.data, error: taken.error };
  };
}

async function handOverToken(
  { services }: OperatorServices,
  answer: OperatorReply,
  id: GrantId,
  by: Operator,
  hand: HandToken,
  patienceMs: number,
): Promise<OperatorReply> {
  try {
    const grant = await deliverToOperator(services, id, by, (token) => hand(id, token), patienceMs);
    return { ...answer, data: { ...answer.data, grant: grantData(grant, services.clock.now()) } };
  } catch (error) {
    const told = toExecError(error);
    return {
      ...answer,
      error: told,
      text: [answer.text, told.message, told.next ?? ''].filter((piece) => piece !== '').join('\n\n'),
    };
  }
}

function toExecError(error: unknown): ExecError & OperatorReply['error'] {
  if (error instanceof MintwardenError && error.code !== 'internal')
    return { code: error.code, message: error.message, next: error.hint };
  return {
    code: 'internal',
    message: 'Something went wrong while the token was handed over.',
    next: 'See `show` and the log.',
  };
}
