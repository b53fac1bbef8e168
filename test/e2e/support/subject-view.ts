import { matrixRequest } from '../../harness/matrix-http.ts';
import type { TestUser } from '../../harness/synapse-users.ts';

const V3 = '/_matrix/client/v3';

type Delta = { next_batch: string; rooms?: { join?: Record<string, Record<string, unknown>> } & Record<string, unknown> } & Record<
  string,
  unknown
>;
type Part = { timeline?: { events?: unknown[] } };

/** What happened to a person's account since the last look, as their own client has it. */
export type SubjectNews = {
  /** The events of each room. */
  readonly events: Record<string, unknown[]>;
  /** All else that a sync tells: read markers, receipts, account data, presence, devices, invites; without what counts as unread. */
  readonly rest: string[];
  /** What no sync tells, but is the person's own, where it is not as before. */
  readonly changed: string[];
};

/**
 * Looks at an account with its own unscoped token, without being seen online.
 * @returns a function for what changed since it was called last
 */
export async function subjectView(baseUrl: string, user: TestUser): Promise<() => Promise<SubjectNews>> {
  const ask = <T>(path: string) => matrixRequest<T>(baseUrl, 'GET', `${V3}/${path}`, { token: user.accessToken });
  const standing = async (): Promise<Record<string, string>> => {
    const paths = ['pushrules/', 'pushers', 'account/3pid', 'joined_rooms', `profile/${encodeURIComponent(user.userId)}`, 'devices'];
    const told = await Promise.all(paths.map(async (path) => [path, withoutTimes(await ask(path))] as const));
    return Object.fromEntries(told);
  };
  const sync = async (): Promise<{ events: Record<string, unknown[]>; rest: string[] }> => {
    const events: Record<string, unknown[]> = {};
    const rest: string[] = [];
    for (let more = true; more;) {
      const delta = await ask<Delta>(`sync?timeout=0&set_presence=offline&since=${since}`);
      more = delta.next_batch !== since;
      since = delta.next_batch;
      const { next_batch: _, rooms: { join = {}, ...others } = {}, ...account } = delta;
      for (const [roomId, part] of Object.entries(join)) {
        const { timeline, unread_notifications: _unread, summary: _summary, ...own } = part as Part & Record<string, unknown>;
        (events[roomId] ??= []).push(...(timeline?.events ?? []));
        rest.push(...contentOf(own, roomId));
      }
      rest.push(...contentOf(others, 'rooms'), ...contentOf(account, 'account'));
    }
    return { events, rest };
  };
  let since = (await ask<Delta>('sync?timeout=0&set_presence=offline')).next_batch;
  await sync();
  let before = await standing();
  return async () => {
    const news = await sync();
    const now = await standing();
    const changed = Object.keys(now).filter((path) => now[path] !== before[path]);
    before = now;
    return { ...news, changed };
  };
}

/** The sections of an answer that are not empty, each with its content. */
function contentOf(sections: Record<string, unknown>, of: string): string[] {
  const quiet = new Set(['device_one_time_keys_count', 'org.matrix.msc2732.device_unused_fallback_key_types', 'device_unused_fallback_key_types']);
  return Object.entries(sections).flatMap(([name, section]) => (quiet.has(name) || isEmpty(section) ? [] : [`${of} ${name} ${JSON.stringify(section)}`]));
} // prettier-ignore

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value ?? {}).every(isEmpty));
}

/** When a device was last seen changes with this very look. */
function withoutTimes(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => (name.startsWith('last_seen') ? undefined : part));
}
