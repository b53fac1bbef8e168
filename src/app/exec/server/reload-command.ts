import { defineCommand, type Command, type ReplyData } from '../../../bot/command.ts';
import type { CommandKey } from '../../../domain/change.ts';
import type { Actor } from '../../../domain/ids.ts';
import { code, joined, line, list, paragraph, strong } from '../../../words/build.ts';
import type { Document } from '../../../words/document.ts';
import type { ReloadPolicy, ReloadResult } from '../../reload-policy.ts';

/**
 * `reload`, at the machine: reads the policy again, whole or not at all. The audit and the control room tell
 * what changed.
 */
export function reloadCommand(reload: ReloadPolicy): Command {
  // What the last run came to, for its data: what is read a second time has changed nothing.
  const outcomes = new WeakMap<CommandKey, ReloadResult>();
  return defineCommand({
    name: 'reload',
    place: 'control',
    summary: 'read the policy (admins, policy) from the configuration again, whole or not at all',
    parameters: [],
    flags: [],
    examples: ['!reload'],
    mutates: true,
    allowedWhenExposed: true,
    needs: [],
    async run({ sender, key }) {
      const outcome = await reload(sender satisfies Actor);
      outcomes.set(key, outcome);
      return resultDocument(outcome);
    },
    async data({ key }): Promise<ReplyData> {
      const { changes, afterRestart } = outcomes.get(key) ?? { changes: [], afterRestart: [] };
      return { changes, afterRestart };
    },
  });
}

function resultDocument({ changes, afterRestart }: ReloadResult): Document {
  const later =
    afterRestart.length === 0
      ? []
      : [paragraph(line`After a restart count too: ${joined(afterRestart.map((key) => [code(key)]))}.`)];
  if (changes.length === 0) return [paragraph(['The policy is as it was.']), ...later];
  return [
    paragraph([strong('The policy was changed; the control room is told.')]),
    list(...changes.map(({ key, before, after }) => line`${code(key)}: ${code(before)} → ${code(after)}`)),
    ...later,
  ];
}
