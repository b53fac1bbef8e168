import { MintwardenError } from '../domain/errors.ts';
import type { GrantId } from '../domain/ids.ts';
import type { Document } from '../words/document.ts';
import { refuseDuringLockdown } from '../lifecycle/lockdown.ts';
import type { Services } from '../lifecycle/services.ts';
import type { Requests } from '../ports/requests.ts';
import type { Address } from './addressing.ts';
import { errorDocument } from './reply.ts';
import type { Arguments } from './arguments.ts';
import { createCapabilities, type Invocation } from './capabilities.ts';
import type { Command, ReplyData } from './command.ts';
import type { CommandDescription } from './command-description.ts';
import { parseArguments } from './parse-arguments.ts';
import { tokenize } from './tokenizer.ts';

/**
 * The result of a command: its reply (null: the outbox sends it), and whether the command changes state.
 */
export type ExecutionResult = {
  readonly document: Document | null;
  readonly mutates: boolean;
  /** Where the answer comes by the outbox: the grant it is about. */
  readonly outboxReplyFor: GrantId | null;
  /** What went wrong, as it is told. */
  readonly error: MintwardenError | null;
  /** What the command was given, where it ran to its end, and its answer as data; null: it has words only. */
  readonly ran: { readonly args: Arguments; readonly data: (() => Promise<ReplyData>) | null } | null;
};

/** What commands are run with, and how this one was given. */
export type Execution = {
  readonly services: Services;
  readonly requests: Requests;
  readonly commands: readonly Command[];
  readonly invocation: Invocation;
};

/** What is wrong with the room a command came from, and whether the command itself came in the clear. */
export type RoomStatus = { readonly exposed: string | null; readonly encrypted: boolean };

/** Parses and runs a command. Whatever goes wrong becomes the answer; this never throws. */
export async function execute(
  address: Exclude<Address, { kind: 'none' }>,
  status: RoomStatus,
  { services, requests, commands, invocation }: Execution,
): Promise<ExecutionResult> {
  const verb = address.kind === 'command' ? address.verb : null;
  const command = commands.find((each) => each.name === verb);
  try {
    if (address.kind === 'unknown' || command === undefined) throw unknownCommand(address, invocation);
    checkRoomStatus(command, status);
    if (command.mutates && !command.allowedWhenExposed) refuseDuringLockdown(services.lockdown);
    const args = parseArguments(command, tokenize(address.line));
    const context = { ...invocation, ...createCapabilities(services, requests, commands, invocation) };
    const answer = await command.run(context, args);
    const { data } = command;
    const isFromOutbox = 'outboxReplyFor' in answer;
    return {
      document: isFromOutbox ? null : answer,
      outboxReplyFor: isFromOutbox ? answer.outboxReplyFor : null,
      mutates: command.mutates,
      error: null,
      ran: { args, data: data === undefined ? null : () => data(context, args) },
    };
  } catch (error) {
    const shown = publicError(services, verb, error);
    return {
      document: errorDocument(shown),
      mutates: command?.mutates ?? false,
      outboxReplyFor: null,
      error: shown,
      ran: null,
    };
  }
}

function unknownCommand(address: Exclude<Address, { kind: 'none' }>, { place }: Invocation): MintwardenError {
  const bang = place === 'control' ? '!' : '';
  const typed = address.kind === 'unknown' ? address.typed : address.verb;
  const meant = address.kind === 'unknown' ? address.meant : null;
  const next =
    meant === null
      ? `To see what there is: \`${bang}help\``
      : `Write: \`${[`${bang}${meant}`, address.line.replaceAll('`', "'")].join(' ').trim()}\``;
  return new MintwardenError('usage', `I have no command “${typed.slice(0, 40)}”.`, next);
}

function checkRoomStatus(command: CommandDescription, { exposed, encrypted }: RoomStatus): void {
  if (exposed === null || (command.allowedWhenExposed && (encrypted || !command.mutates))) return;
  throw new MintwardenError(
    'not-allowed',
    `${exposed} Until that is fixed I accept only !help, !status and !revoke here.`,
    'Fix it in the room’s settings; `mintwarden doctor` says when it is right.',
  );
}

/** A failure as people read it. */
export function failureDocument(
  services: Pick<Services, 'log' | 'random'>,
  verb: string | null,
  error: unknown,
): Document {
  return errorDocument(publicError(services, verb, error));
}

/**
 * An error that may be shown. An unexpected one is replaced by a reference that is in the log too; its own
 * message is not shown.
 */
export function publicError(
  services: Pick<Services, 'log' | 'random'>,
  verb: string | null,
  error: unknown,
): MintwardenError {
  if (error instanceof MintwardenError && error.code !== 'internal') return error;
  const ref = Buffer.from(services.random.bytes(3)).toString('hex');
  const name = error instanceof Error ? error.name : typeof error;
  const where = error instanceof Error ? error.stack?.match(/^\s+at .*$/m)?.[0]?.trim() : undefined;
  services.log.error('command failed', { ref, verb, error: name, where });
  return new MintwardenError(
    'internal',
    `Something went wrong inside Mintwarden (ref ${ref}).`,
    'An operator finds the reference in the log. Look at `!list` before you send it again.',
  );
}
