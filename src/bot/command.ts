import type { CommandKey } from '../domain/change.ts';
import { MintwardenError } from '../domain/errors.ts';
import { parseUserId, type Actor, type GrantId, type UserId } from '../domain/ids.ts';
import type { Services } from '../lifecycle/services.ts';
import type { Requests } from '../ports/requests.ts';
import type { Document } from '../words/document.ts';
import type { Arguments } from './arguments.ts';

/** As many optional flags are shown in an overview. */
const MAX_BRIEF_FLAGS = 6;

/**
 * Where a command is given: by an administrator in the control room, or by a person in their DM with the bot.
 */
export type Place = 'control' | 'dm';

/** A word that a command takes, in its order. */
export type Parameter = { readonly name: string; readonly help: string; readonly required: boolean };

/** The grant a command is about. */
export const GRANT_ID: Parameter = {
  name: 'ID',
  help: 'the grant’s id, or its first four characters or more',
  required: true,
};

/**
 * A flag. `switch` has no value; `value` takes one word; `list` one or several, with commas; `text` all words
 * up to the next flag.
 */
export type Flag = {
  readonly name: string;
  readonly kind: 'switch' | 'value' | 'list' | 'text';
  /** What stands for its value in the usage line. */
  readonly placeholder: string;
  readonly help: string;
  readonly required: boolean;
  /** A flag that may be said in the place of a required one. */
  readonly alternative?: string;
};

/**
 * Where an operator's token goes. Only what is given at the machine has this flag; see `operatorCommands`.
 */
export const OUT_FLAG: Flag = {
  name: 'out',
  kind: 'value',
  placeholder: 'FILE',
  help: 'write the token into a new file that only you can read',
  required: false,
};

/** What a command is given to work with. */
export type CommandContext = {
  readonly services: Services;
  readonly requests: Requests;
  readonly place: Place;
  /** A person, in their DM always; in the control room's place also an operator at the machine. */
  readonly sender: Actor;
  readonly key: CommandKey;
  readonly now: number;
  /** The commands of this place, for help. */
  readonly commands: readonly Command[];
};

/** The answer comes through the outbox, as a message about this grant; null: there is none to wait for. */
export type OutboxReply = { readonly outboxReplyFor: GrantId | null };

/** What an answer says, for programs: plain JSON. Its shape is documented and only added to. */
export type ReplyData = Readonly<Record<string, unknown>>;

/** The person who gave a command in their DM. */
export function senderUserId({ sender }: Pick<CommandContext, 'sender'>): UserId {
  const person = parseUserId(sender);
  if (person === null) throw new MintwardenError('internal', 'Nobody at the machine has a DM.');
  return person;
}

/** A command as data: parsing, help and errors follow from it. */
export type Command = {
  readonly name: string;
  readonly place: Place;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Changes something: the command counts as seen before its answer is sent. */
  readonly mutates: boolean;
  /** Taken even while the control room is not private: it tells little or takes power away. */
  readonly allowedWhenExposed: boolean;
  /** @returns the answer, or where it comes from. @throws MintwardenError for a person to read */
  run(context: CommandContext, args: Arguments): Promise<Document | OutboxReply>;
  /** The same as data, where the answer is more than words. Only after `run` did not throw. */
  data?(context: CommandContext, args: Arguments): Promise<ReplyData>;
};

/** `!mint USER --rooms ROOMS [--read-only] …` */
export function usage(command: Command): string {
  const bang = command.place === 'control' ? '!' : '';
  const parameters = command.parameters.map(({ name, required }) => (required ? name : `[${name}]`));
  const flags = command.flags.map((flag) => {
    const text = flag.kind === 'switch' ? `--${flag.name}` : `--${flag.name} ${flag.placeholder}`;
    return flag.required ? text : `[${text}]`;
  });
  return [`${bang}${command.name}`, ...parameters, ...flags].join(' ');
}

/** The form in one line of an overview: a command of many flags shows the first of them. */
export function briefUsage(command: Command): string {
  const optional = command.flags.filter((flag) => !flag.required);
  if (optional.length <= MAX_BRIEF_FLAGS) return usage(command);
  const shown = [...command.flags.filter((flag) => flag.required), ...optional.slice(0, MAX_BRIEF_FLAGS)];
  return `${usage({ ...command, flags: shown })} […]`;
}
