import { audienceOf, type IncidentKind } from '../../domain/incident.ts';
import type { Destination, Message } from '../../domain/message.ts';
import { newIds } from '../rows/new-id.ts';
import { problemOf } from '../problem.ts';
import { newMessage } from '../rows/message-row.ts';
import type { Services } from '../services.ts';
import type { IncidentUpdate } from './incidents.ts';

/**
 * Remembers across restarts what was reported, so that a service that keeps restarting does not repeat
 * itself.
 */
export type ToldStore = {
  load(): Promise<readonly IncidentKind[]>;
  save(told: readonly IncidentKind[]): Promise<void>;
};

const RETRY_MS = 2_000;
const CONTROL: Destination = { kind: 'control', replyTo: null };

/**
 * Reports each incident through the outbox, once when it is opened and once when it is resolved. What the
 * ledger cannot take now is retried.
 */
export function notifyIncidents(
  services: Services,
  store: ToldStore,
): { readonly ready: Promise<void>; readonly stop: () => Promise<void> } {
  const told = new Set<IncidentKind>();
  const waiting: IncidentUpdate[] = [];
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const messagesOf = ({ kind: what, incident }: IncidentUpdate): Message[] => {
    if (what === 'superseded') return [];
    const audience = audienceOf(incident.kind);
    const isResolved = what === 'resolved';
    if (audience === 'nobody' || (audience === 'after' && !isResolved)) return [];
    const at = services.clock.now();
    const { kind, sentence, next, since } = incident;
    const body = {
      kind: 'trouble',
      trouble: kind,
      sentence,
      next,
      since,
      overAt: isResolved ? at : null,
    } as const;
    const places: readonly Destination[] =
      audience === 'admins'
        ? services.policy().admins.map((userId) => ({ kind: 'dm', userId, replyTo: null }))
        : [CONTROL];
    // With the room well again, it is the place for good news.
    const to = audience === 'admins' && isResolved ? [CONTROL] : places;
    return to.map((place) =>
      newMessage({ id: newIds(services.random).message(), grantId: null, to: place, body, at }),
    );
  };

  const tellOne = async (news: IncidentUpdate): Promise<void> => {
    const { kind } = news.incident;
    const isNews = news.kind === 'opened' ? !told.has(kind) : told.has(kind) || audienceOf(kind) === 'after';
    const messages = isNews ? messagesOf(news) : [];
    if (messages.length > 0) await services.ledger.commit({ at: services.clock.now(), messages });
    if (news.kind === 'opened') told.add(kind);
    else told.delete(kind);
    await store.save([...told]).catch(() => undefined);
  };

  const work = async (): Promise<void> => {
    try {
      for (let news = waiting[0]; news !== undefined && !ending.signal.aborted; news = waiting[0]) {
        await tellOne(news);
        waiting.shift();
      }
    } catch (error) {
      services.log.warn('incident not reported yet', { problem: problemOf(error) });
      if (!ending.signal.aborted) timer = setTimeout(wake, RETRY_MS);
    }
  };
  const wake = (): void => {
    clearTimeout(timer);
    running = running.then(work);
  };

  const unsubscribe = services.incidents.onChange((news) => {
    waiting.push(news);
    wake();
  });
  const ready = store
    .load()
    .catch((): readonly IncidentKind[] => [])
    .then((kinds) => {
      for (const kind of kinds) told.add(kind);
      for (const incident of services.incidents.current()) waiting.push({ kind: 'opened', incident });
    });
  running = ready;
  wake();
  return {
    ready,
    stop: async () => {
      ending.abort();
      unsubscribe();
      clearTimeout(timer);
      await running;
    },
  };
}
