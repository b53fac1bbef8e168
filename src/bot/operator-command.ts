import { requestKey } from '../domain/change.ts';
import type { MintwardenError } from '../domain/errors.ts';
import type { GrantId, Operator, UserId } from '../domain/ids.ts';
import type { MessageBody } from '../domain/message.ts';
import { exposure } from '../lifecycle/incidents/control-room.ts';
import { contentOf } from '../lifecycle/notifications/content.ts';
import type { Services } from '../lifecycle/services.ts';
import type { Requests } from '../ports/requests.ts';
import { toText } from '../words/render.ts';
import { errorDocument } from './reply.ts';
import { operatorCommands } from './commands/index.ts';
import { parseArguments } from './parse-arguments.ts';
import { tokenize } from './tokenizer.ts';
import { parseAddress, type Address } from './addressing.ts';
import { grantData } from './reply-data.ts';
import type { Command, ReplyData } from './command.ts';
import { OUT_FLAG } from './command-description.ts';
import { execute, publicError } from './execute.ts';

/** What operators' commands are run with. */
export type OperatorServices = {
  readonly services: Services;
  readonly requests: Requests;
  readonly commands: readonly Command[];
};

/**
 * A command given at the machine. `id`: the client's own, the same when it asks again after a lost answer.
 */
export type OperatorRequest = { readonly id: string; readonly operator: Operator; readonly line: string };

/** What is to be told of an error. */
export type OperatorError = Pick<MintwardenError, 'code' | 'message'> & {
  readonly next: string | null;
};

/** What came of it. `handsOverTokenOf`: the operator is to be handed the token of this grant. */
export type OperatorReply = {
  readonly command: string | null;
  readonly text: string;
  readonly data: ReplyData;
  readonly error: OperatorError | null;
  readonly handsOverTokenOf: GrantId | null;
};

/** Of several messages about a grant, the one that answers a command. */
const REPLY_KINDS: Readonly<Record<string, readonly MessageBody['kind'][]>> = {
  mint: ['minted', 'mint-failed'],
  revoke: ['ended-report', 'revoked', 'revoked-by-subject'],
};

/**
 * Runs a command given at the machine: the syntax, rules and limits are those of the control room, the actor is
 * the operator. The room is told of it as usual, and the operator reads the same text. Never throws.
 */
export async function runOperatorCommand(
  parts: OperatorServices,
  { id, operator, line }: OperatorRequest,
): Promise<OperatorReply> {
  const { services, requests, commands } = parts;
  const now = services.clock.now();
  const address = parseLine(line, commands);
  const command = address.kind === 'command' ? commands.find(({ name }) => name === address.verb) : undefined;
  try {
    // The result of a read does not reach the room; a command with effects is announced there.
    const exposed = command?.mutates === true ? exposure(await services.chat.controlRoom()) : null;
    const key = requestKey(id, operator, now);
    const invocation = { place: 'control', sender: operator, key, now } as const;
    const { document, outboxReplyFor, error, ran } = await execute(
      address,
      { exposed, encrypted: true },
      { services, requests, commands, invocation },
    );
    const name = command?.name ?? null;
    if (error !== null)
      return {
        command: name,
        text: document === null ? error.message : toText(document),
        data: {},
        error: publicFields(error),
        handsOverTokenOf: null,
      };
    const tokenOf = ran?.args.values.has(OUT_FLAG.name) === true ? outboxReplyFor : null;
    if (document !== null) {
      const text = toText(document);
      const data = (await ran?.data?.()) ?? { text };
      return { command: name, text, data, error: null, handsOverTokenOf: tokenOf };
    }
    const answer =
      outboxReplyFor === null ? ALREADY_DONE : await outboxReply(services, outboxReplyFor, name ?? '');
    return { command: name, ...answer, handsOverTokenOf: answer.error === null ? tokenOf : null };
  } catch (error) {
    const shown = publicError(services, command?.name ?? null, error);
    return {
      command: command?.name ?? null,
      text: toText(errorDocument(shown)),
      data: {},
      error: publicFields(shown),
      handsOverTokenOf: null,
    };
  }
}

/** What may leave the process of an error: not what caused it. */
function publicFields({ code, message, hint }: MintwardenError): OperatorError {
  return { code, message, next: hint };
}

const ALREADY_DONE = { text: 'That was done before; nothing was done again.', data: {}, error: null };

/** No line given at the machine begins with the bot's name. */
const UNUSED_BOT_ID = '@mintwarden:localhost' as UserId;

/** At the machine every line speaks to us, with or without the `!`. */
function parseLine(line: string, commands: readonly Command[]): Exclude<Address, { kind: 'none' }> {
  const verbs = commands.map(({ name }) => name);
  const typed = line.trim().replace(/^！/, '!');
  const text = /^!(?:mw|mintwarden)(?:\s|$)/i.test(typed) ? typed : `!mw ${typed}`;
  const address = parseAddress(text, 'control', UNUSED_BOT_ID, verbs);
  return address.kind === 'none' ? { kind: 'unknown', typed, meant: null, line: '' } : address;
}

/** The words that the control room is told, found where the outbox keeps them. */
async function outboxReply(
  services: Services,
  id: GrantId,
  command: string,
): Promise<Pick<OperatorReply, 'text' | 'data' | 'error'>> {
  const [grant, messages] = await Promise.all([services.ledger.grant(id), services.ledger.messages(id)]);
  const kinds = REPLY_KINDS[command] ?? [];
  const message = messages.find(({ to, body }) => to.kind === 'control' && kinds.includes(body.kind));
  const data = grant === null ? {} : { grant: grantData(grant, services.clock.now()) };
  if (message === undefined)
    return { ...ALREADY_DONE, text: command === 'deliver' ? '' : ALREADY_DONE.text, data };
  const { body } = await contentOf(services, message, grant, 'encrypted');
  const failed = message.body.kind === 'mint-failed' ? message.body : null;
  const error =
    failed === null
      ? null
      : ({ code: 'homeserver-refused', message: failed.sentence, next: failed.next } as const);
  return { text: body, data, error };
}

/**
 * The file that a line names for a token; null where it names none, or cannot be parsed: the service then
 * reports the error.
 */
export function outFileOf(line: string): string | null {
  const commands = operatorCommands([]);
  const address = parseLine(line, commands);
  const command = address.kind === 'command' ? commands.find(({ name }) => name === address.verb) : undefined;
  try {
    return command === undefined
      ? null
      : (parseArguments(command, tokenize(address.line)).values.get(OUT_FLAG.name) ?? null);
  } catch {
    return null;
  }
}
