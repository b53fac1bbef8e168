import { isDeepStrictEqual } from 'node:util';
import {
  type Config,
  toConfig,
  effectiveSettings,
  readConfigSource,
  toPolicy,
  type ConfigSource,
} from '../config/index.ts';
import type { Actor } from '../domain/ids.ts';
import type { SettingChange } from '../domain/message.ts';
import type { Policy } from '../domain/policy.ts';
import { recordPolicyChange } from '../lifecycle/change-policy.ts';
import type { Services } from '../lifecycle/services.ts';

/** What reloading came to. */
export type ReloadResult = {
  /** What counts from now on. */
  readonly changes: readonly SettingChange[];
  /** Keys that were changed too, and count after a restart. */
  readonly afterRestart: readonly string[];
};

/** Reads the configuration again. */
export type ReloadPolicy = (by: Actor) => Promise<ReloadResult>;

/** What a running service takes over; everything else is built at its start. */
const POLICY_KEYS = /^(?:admins|policy\.)/;

/**
 * A way to take policy over from the configuration file while the service runs: whole or not at all. The
 * change is written to the audit, and to the control room, before it counts.
 * @param current what the service was started with
 * @throws MintwardenError `configuration` with every problem found; then nothing has changed
 */
export async function createPolicyReloader(
  current: Config,
  env: Readonly<Record<string, string | undefined>>,
  services: Pick<Services, 'ledger' | 'clock' | 'random'>,
  take: (policy: Policy) => void,
): Promise<ReloadPolicy> {
  const shown = (source: ConfigSource) =>
    new Map(effectiveSettings(source).map(({ key, value }) => [key, asText(value)]));
  const first = await readConfigSource(current.file, env);
  const started = shown(first);
  // Where the file was changed while the service started, every key of the policy is news: none must count as
  // known that is not in use.
  const isInUse = isDeepStrictEqual(toPolicy(first.content), toPolicy(current));
  let before: ReadonlyMap<string, string> = isInUse
    ? started
    : new Map([...started].filter(([key]) => !POLICY_KEYS.test(key)));
  let running: Promise<unknown> = Promise.resolve();

  async function reload(by: Actor): Promise<ReloadResult> {
    // Read once: what is applied and what is reported must be the same, even if the file changes meanwhile.
    const written = await readConfigSource(current.file, env);
    const config = await toConfig(written);
    const now = shown(written);
    const changes = differences(before, now).filter(({ key }) => POLICY_KEYS.test(key));
    const afterRestart = differences(started, now).flatMap(({ key }) => (POLICY_KEYS.test(key) ? [] : [key]));
    if (changes.length > 0) {
      await recordPolicyChange(services, changes, by);
      take(toPolicy(config));
      before = now;
    }
    return { changes, afterRestart };
  }

  return (by) => {
    const mine = running.then(() => reload(by));
    running = mine.catch(() => {});
    return mine;
  };
}

function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): SettingChange[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => {
    const was = before.get(key) ?? 'nothing';
    const is = after.get(key) ?? 'nothing';
    return was === is ? [] : [{ key, before: was, after: is }];
  });
}

/** A secret counts as one and the same: which it is stands in nobody's log. */
function asText(value: unknown): string {
  return value === null ? 'a secret' : typeof value === 'string' ? value : JSON.stringify(value);
}
