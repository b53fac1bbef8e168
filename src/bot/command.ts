import type { GrantId } from '../domain/ids.ts';
import type { Document } from '../words/document.ts';
import type { Arguments } from './arguments.ts';
import type { Capabilities, Invocation } from './capabilities.ts';
import type { CommandDescription } from './command-description.ts';

/** The answer comes through the outbox, as a message about this grant; null: there is none to wait for. */
export type OutboxReply = { readonly outboxReplyFor: GrantId | null };

/** What an answer says, for programs: plain JSON. Its shape is documented and only added to. */
export type ReplyData = Readonly<Record<string, unknown>>;

/** How a command was given, and everything that it could be handed. */
export type FullContext = Invocation & Capabilities;

/** What a command is handed: how it was given, and the capabilities it names, no other. */
export type CommandContext<Need extends keyof Capabilities = never> = Invocation & Pick<Capabilities, Need>;

type Run<Context> = {
  /** @returns the answer, or where it comes from. @throws MintwardenError for a person to read */
  readonly run: (context: Context, args: Arguments) => Promise<Document | OutboxReply>;
  /** The same as data, where the answer is more than words. Only after `run` did not throw. */
  readonly data?: (context: Context, args: Arguments) => Promise<ReplyData>;
};

/** A command that can be run. */
export type Command = CommandDescription & Run<FullContext>;

/** Makes a command that gets the capabilities it names in `needs`, and no other. */
export function defineCommand<const Need extends keyof Capabilities>(
  definition: CommandDescription & { readonly needs: readonly Need[] } & Run<CommandContext<Need>>,
): Command {
  const { needs, run, data, ...description } = definition;
  const limit = (context: FullContext): CommandContext<Need> => {
    const { place, sender, key, now } = context;
    const granted = Object.fromEntries(needs.map((need) => [need, context[need]]));
    return { place, sender, key, now, ...(granted as Pick<Capabilities, Need>) };
  };
  return {
    ...description,
    run: (context, args) => run(limit(context), args),
    ...(data !== undefined && { data: (context, args) => data(limit(context), args) }),
  };
}
