import { audienceOf, type TroubleKind } from '../../domain/incident.ts';
import type { Destination, Message } from '../../domain/message.ts';
import { newIds } from '../new-id.ts';
import { problemOf } from '../problem.ts';
import { newMessage } from '../notifications/message-row.ts';
import type { World } from '../services.ts';
import type { TroubleNews, Troubles } from './incidents.ts';

/**
 * Remembers through a restart what was told, so that a service that starts again and again does not repeat
 * itself.
 */
export type ToldStore = {
  load(): Promise<readonly TroubleKind[]>;
  save(told: readonly TroubleKind[]): Promise<void>;
};

const RETRY_MS = 2_000;
const CONTROL: Destination = { kind: 'control', replyTo: null };

/**
 * Tells people of each trouble when it begins and when it is over, once each, through the outbox: what cannot
 * be sent now comes when it can. What the ledger cannot take now is tried again.
 */
export function tellTroubles(
  world: World,
  troubles: Troubles,
  store: ToldStore,
): { readonly ready: Promise<void>; readonly stop: () => Promise<void> } {
  const told = new Set<TroubleKind>();
  const waiting: TroubleNews[] = [];
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const messagesOf = ({ kind: what, trouble }: TroubleNews): Message[] => {
    if (what === 'gave-way') return [];
    const audience = audienceOf(trouble.kind);
    const isOver = what === 'over';
    if (audience === 'nobody' || (audience === 'after' && !isOver)) return [];
    const at = world.clock.now();
    const { kind, sentence, next, since } = trouble;
    const body = {
      kind: 'trouble',
      trouble: kind,
      sentence,
      next,
      since,
      overAt: isOver ? at : null,
    } as const;
    const places: readonly Destination[] =
      audience === 'admins'
        ? world.policy().admins.map((userId) => ({ kind: 'dm', userId, replyTo: null }))
        : [CONTROL];
    // With the room well again, it is the place for good news.
    const to = audience === 'admins' && isOver ? [CONTROL] : places;
    return to.map((place) =>
      newMessage({ id: newIds(world.random).message(), grantId: null, to: place, body, at }),
    );
  };

  const tellOne = async (news: TroubleNews): Promise<void> => {
    const { kind } = news.trouble;
    const isNews = news.kind === 'began' ? !told.has(kind) : told.has(kind) || audienceOf(kind) === 'after';
    const messages = isNews ? messagesOf(news) : [];
    if (messages.length > 0) await world.ledger.commit({ at: world.clock.now(), messages });
    if (news.kind === 'began') told.add(kind);
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
      world.log.warn('trouble not told yet', { problem: problemOf(error) });
      if (!ending.signal.aborted) timer = setTimeout(wake, RETRY_MS);
    }
  };
  const wake = (): void => {
    clearTimeout(timer);
    running = running.then(work);
  };

  const unsubscribe = troubles.onChange((news) => {
    waiting.push(news);
    wake();
  });
  const ready = store
    .load()
    .catch((): readonly TroubleKind[] => [])
    .then((kinds) => {
      for (const kind of kinds) told.add(kind);
      for (const trouble of troubles.now()) waiting.push({ kind: 'began', trouble });
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
