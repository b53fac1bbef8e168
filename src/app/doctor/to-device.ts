import type { Config } from '../../config/index.ts';
import { readCached } from '../../store/keyv/index.ts';
import { safeInline, shortened } from '../../words/safe-text.ts';
import { cacheFile } from '../paths.ts';
import { REFUSALS, type RefusalRecord } from '../to-device-refusals.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Clients of people who once shared a room with the bot send it some. */
const FLOOD = 1_000;
const RECENT_MS = 86_400_000;

/** What the running service, or the last one, kept from its encryption engine. */
export async function checkToDevice(config: Config, now: number): Promise<readonly Finding[]> {
  return [evaluateToDevice(await readCached<RefusalRecord>(cacheFile(config), REFUSALS), now)];
}

/** @param record undefined: nothing was refused. `now` in epoch ms */
export function evaluateToDevice(record: RefusalRecord | undefined, now: number): Finding {
  const id = 'to-device';
  if (record === undefined) return ok(id, 'No message between devices was refused.');
  const { strangers, tooMany, since, lastAt } = record;
  const lastSender = shortened(safeInline(record.lastSender), 80);
  const found = `Refused since ${new Date(since).toISOString()}: ${String(strangers)} messages between devices from people the bot has nothing to do with, ${String(tooMany)} beyond the pace of people it has; the last from ${lastSender}.`;
  if (now - lastAt > RECENT_MS || (strangers < FLOOD && tooMany === 0)) return ok(id, found);
  return warn(id, found, {
    fix:
      tooMany > 0
        ? `Nothing of it is kept. If ${lastSender} did not mean it, the bot may not be able to read them: let them restart their client, or type /discardsession in it.`
        : `Nothing of it is kept. If it goes on, lock ${lastSender} at the homeserver.`,
  });
}
