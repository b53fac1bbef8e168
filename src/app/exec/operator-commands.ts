import type { Command } from '../../bot/command.ts';
import { operatorCommands } from '../../bot/commands/index.ts';
import type { ReloadPolicy } from '../reload-policy.ts';
import { auditCommand } from './server/audit-command.ts';
import { reloadCommand } from './server/reload-command.ts';

const noReload: ReloadPolicy = async () => ({ changes: [], afterRestart: [] });

/**
 * Every command that may be given at the machine. Without a way to reload they are only good to be looked at.
 */
export function allOperatorCommands(reload: ReloadPolicy = noReload): readonly Command[] {
  return operatorCommands([auditCommand, reloadCommand(reload)]);
}
