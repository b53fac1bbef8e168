import type { Invite, TimelineEvent, WaitOptions } from './encrypted-client.ts';
import { HarnessError } from './harness-error.ts';

const waitTimeoutMs = 20_000;

/** What a client's process has told of so far, and the means to wait for more. */
export interface ClientView {
  take: (event: string, data: unknown) => void;
  events(): TimelineEvent[];
  invites: () => Invite[];
  membership(roomId: string, userId: string): string | undefined;
  /** Waits until `find` finds something; looks again whenever news come. */
  waitFor<T>(find: () => T | undefined, options: WaitOptions): Promise<T>;
}

interface Membership {
  roomId: string;
  userId: string;
  membership: string;
}

/** An empty view. `owner` is named in errors. */
export function createClientView(owner: string): ClientView {
  const events = new Map<string, TimelineEvent>();
  const invites = new Map<string, Invite>();
  const members = new Map<string, string>();
  const lookers = new Set<() => void>();

  const take = (event: string, data: unknown): void => {
    if (event === 'timeline') takeEvent(events, data as TimelineEvent);
    if (event === 'invite') invites.set((data as Invite).roomId, data as Invite);
    if (event === 'member') {
      const { roomId, userId, membership } = data as Membership;
      members.set(`${roomId} ${userId}`, membership);
      if (userId === owner && membership !== 'invite') invites.delete(roomId);
    }
    for (const look of lookers) look();
  };

  return {
    take,
    events: () => [...events.values()],
    invites: () => [...invites.values()],
    membership: (roomId, userId) => members.get(`${roomId} ${userId}`),
    waitFor: (find, options) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          lookers.delete(look);
          clearTimeout(timer);
        };
        const look = (): void => {
          try {
            const found = find();
            if (found === undefined) return;
            stop();
            resolve(found);
          } catch (error) {
            stop();
            reject(error);
          }
        };
        const timeoutMs = options.timeoutMs ?? waitTimeoutMs;
        const timer = setTimeout(() => {
          stop();
          const what = options.what ?? 'what the test waits for';
          reject(
            new HarnessError(
              `${owner} waited ${String(timeoutMs)} ms in vain for ${what}. Seen last:\n${summary([...events.values()])}`,
            ),
          );
        }, timeoutMs);
        lookers.add(look);
        look();
      }),
  };
}

function takeEvent(events: Map<string, TimelineEvent>, next: TimelineEvent): void {
  const known = events.get(next.eventId);
  // A redacted event has lost what told that it was encrypted.
  events.set(
    next.eventId,
    next.redacted && known !== undefined ? { ...known, content: {}, redacted: true } : next,
  );
}

/** Without contents: they may hold secrets, and errors end up in logs. */
function summary(events: readonly TimelineEvent[]): string {
  const line = (e: TimelineEvent): string =>
    `  ${e.sender} ${e.type} ${e.wasEncrypted ? 'encrypted' : 'plain'} ${e.undecryptable ?? ''} in ${e.roomId}`;
  return events.slice(-8).map(line).join('\n') || '  nothing at all';
}
