import type { Command, Place } from '../command.ts';
import { canCommand, canOwnCommand } from './can.ts';
import { deliverCommand } from './deliver.ts';
import { helpCommand } from './help.ts';
import { listCommand } from './list.ts';
import { mintCommand } from './mint.ts';
import { revokeCommand, revokeOwnCommand } from './revoke.ts';
import { showCommand, showOwnCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { tokensCommand } from './tokens.ts';

const COMMANDS: Readonly<Record<Place, readonly Command[]>> = {
  control: [mintCommand, listCommand, showCommand, canCommand, revokeCommand, deliverCommand, statusCommand, helpCommand('control')],
  dm: [tokensCommand, showOwnCommand, revokeOwnCommand, canOwnCommand, helpCommand('dm')],
};

/** The commands of a place, in the order help shows them. */
export function commandsOf(place: Place): readonly Command[] {
  return COMMANDS[place];
}
