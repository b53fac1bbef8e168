import type { Command } from '../command.ts';
import { OUT_FLAG, type Place } from '../command-description.ts';
import { canCommand, canOwnCommand } from './can.ts';
import { deliverCommand } from './deliver.ts';
import { helpCommand } from './help.ts';
import { listCommand } from './list.ts';
import { mintCommand } from './mint.ts';
import { revokeCommand, revokeOwnCommand } from './revoke.ts';
import { showCommand, showOwnCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { tokensCommand } from './tokens.ts';

const HANDS_OVER_TOKENS: ReadonlySet<Command> = new Set([mintCommand, deliverCommand]);

const COMMANDS: Readonly<Record<Place, readonly Command[]>> = {
  control: [
    mintCommand,
    listCommand,
    showCommand,
    canCommand,
    revokeCommand,
    deliverCommand,
    statusCommand,
    helpCommand('control'),
  ],
  dm: [tokensCommand, showOwnCommand, revokeOwnCommand, canOwnCommand, helpCommand('dm')],
};

/**
 * What an operator may say at the machine: all that is said in the control room, tokens into files, and what
 * else is handed in.
 */
export function operatorCommands(more: readonly Command[]): readonly Command[] {
  const [last, ...others] = COMMANDS.control.toReversed();
  const here = others
    .toReversed()
    .map((each) => (HANDS_OVER_TOKENS.has(each) ? { ...each, flags: [...each.flags, OUT_FLAG] } : each));
  return [...here, ...more, ...(last === undefined ? [] : [last])];
}

/** The commands of a place, in the order help shows them. */
export function commandsOf(place: Place): readonly Command[] {
  return COMMANDS[place];
}
