import { matrixRequest } from '../../harness/matrix-http.ts';
import type { TestUser } from '../../harness/synapse-users.ts';

const V3 = '/_matrix/client/v3';

/** Of the looking device alone. */
const KEY_COUNTS = new Set([
  'device_one_time_keys_count',
  'org.matrix.msc2732.device_unused_fallback_key_types',
  'device_unused_fallback_key_types',
]);

type Delta = {
  next_batch: string;
  rooms?: { join?: Record<string, Record<string, unknown>> } & Record<string, unknown>;
} & Record<string, unknown>;
type Part = { timeline?: { events?: unknown[] } };

/** What happened to a person's account since the last look, as their own client has it. */
export type SubjectNews = {
  /** The events of each room. */
  readonly events: Record<string, unknown[]>;
  /**
   * All else that a sync tells, by room or account and section: read markers, receipts, account data,
   * presence, devices, invites; without what counts as unread.
   */
  readonly rest: Record<string, unknown[]>;
  /** What no sync tells, but is the person's own, where it is not as before. */
  readonly changed: string[];
};

/**
 * Looks at an account with its own unscoped token, without being seen online.
 * @returns a function for what changed since it was called last
 */
export async function subjectView(baseUrl: string, user: TestUser): Promise<() => Promise<SubjectNews>> {
  const ask = <T>(path: string) =>
    matrixRequest<T>(baseUrl, 'GET', `${V3}/${path}`, { token: user.accessToken });
  const standing = async (): Promise<Record<string, string>> => {
    const me = encodeURIComponent(user.userId);
    const paths = [
      'pushrules/',
      'pushers',
      'account/3pid',
      'joined_rooms',
      `profile/${me}`,
      `presence/${me}/status`,
      'devices',
    ];
    const told = await Promise.all(paths.map(async (path) => [path, withoutTimes(await ask(path))] as const));
    return Object.fromEntries(told);
  };
  const sync = async (): Promise<Pick<SubjectNews, 'events' | 'rest'>> => {
    const events: Record<string, unknown[]> = {};
    const rest: Record<string, unknown[]> = {};
    const keep = (sections: Record<string, unknown>, of: string): void => {
      for (const [name, section] of Object.entries(sections))
        if (!KEY_COUNTS.has(name) && !isEmpty(section)) (rest[`${of} ${name}`] ??= []).push(section);
    };
    for (let more = true; more;) {
      const delta = await ask<Delta>(`sync?timeout=0&set_presence=offline&since=${since}`);
      more = delta.next_batch !== since;
      since = delta.next_batch;
      const { next_batch: _, rooms: { join = {}, ...others } = {}, ...account } = delta;
      for (const [roomId, part] of Object.entries(join)) {
        const {
          timeline,
          unread_notifications: _unread,
          summary: _summary,
          ...own
        } = part as Part & Record<string, unknown>;
        for (const event of timeline?.events ?? []) (events[roomId] ??= []).push(event);
        keep(own, roomId);
      }
      keep(others, 'rooms');
      keep(account, 'account');
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

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value ?? {}).every(isEmpty));
}

/** When a device or a person was last seen changes with this very look. */
function withoutTimes(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) =>
    /^last_(?:seen|active)/.test(name) ? undefined : part,
  );
}
