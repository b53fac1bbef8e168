import type { ToDeviceRefusals } from '../matrix/to-device-gate.ts';
import type { Log } from '../ports/log.ts';

/** What was refused since `since` (epoch ms), at most a week ago. */
export type RefusalRecord = ToDeviceRefusals & { readonly since: number; readonly lastAt: number };

/** Where the record is kept in the cache, for `doctor`. */
export const REFUSALS = { space: 'to-device', key: 'refused' } as const;

const RECORD_MS = 7 * 86_400_000;
const LOG_MS = 3_600_000;

/** The record with what was refused just now. */
export function addRefusals(
  before: RefusalRecord | undefined,
  { strangers, tooMany, lastSender }: ToDeviceRefusals,
  now: number,
): RefusalRecord {
  const old = before !== undefined && now - before.since < RECORD_MS ? before : undefined;
  return {
    since: old?.since ?? now,
    strangers: (old?.strangers ?? 0) + strangers,
    tooMany: (old?.tooMany ?? 0) + tooMany,
    lastSender,
    lastAt: now,
  };
}

/** Counts what is refused: in the metrics, in the record, and in one line of the log an hour, however many. */
export function countRefusals(options: {
  readonly record: {
    get(key: string): Promise<RefusalRecord | undefined>;
    set(key: string, value: RefusalRecord): Promise<unknown>;
  };
  readonly count: (refused: ToDeviceRefusals) => void;
  readonly log: Log;
  readonly now: () => number;
}): (refused: ToDeviceRefusals) => void {
  const { record, log, now } = options;
  let saving: Promise<unknown> = Promise.resolve();
  let loggedAt = Number.NEGATIVE_INFINITY;

  async function save(refused: ToDeviceRefusals): Promise<void> {
    const total = addRefusals(await record.get(REFUSALS.key), refused, now());
    await record.set(REFUSALS.key, total);
    if (now() - loggedAt < LOG_MS) return;
    loggedAt = now();
    const { strangers, tooMany, lastSender } = total;
    log.warn('to-device events were refused', { strangers, tooMany, lastSender, since: total.since });
  }

  return (refused) => {
    options.count(refused);
    saving = saving.then(() => save(refused)).catch(() => log.warn('refusals could not be counted'));
  };
}
