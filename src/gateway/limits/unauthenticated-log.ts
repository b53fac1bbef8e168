import type { GrantId } from '../../domain/ids.ts';
import type { Log } from '../../ports/log.ts';

const WINDOW_MS = 60_000;
/** Kinds of requests that get a line of their own for each window. */
const MAX_KINDS = 20;

/** A request that showed no valid token. `grant`: the one that its token was of, before it ended. */
type Unauthenticated = {
  readonly operation: string;
  readonly status: number;
  readonly ms: number;
  readonly grant: GrantId | null;
};

/** Logs requests without a valid token: anyone can make any number of them. */
export type UnauthenticatedLog = {
  note(request: Unauthenticated): void;
  /** Logs what is not logged yet. */
  close(): void;
};

/**
 * Logs the first request of each kind (operation, status, grant) at once, as any other; of those that follow within
 * a minute, one line says how many they were. Of more than twenty kinds a minute, one line counts the rest.
 */
export function createUnauthenticatedLog(log: Log): UnauthenticatedLog {
  const kinds = new Map<string, Unauthenticated & { more: number }>();
  let others = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const { operation, status, grant, more } of kinds.values())
      if (more > 0) log.info('requests', { operation, status, grant, count: more });
    if (others > 0) log.info('requests', { operation: 'other', status: null, grant: null, count: others });
    kinds.clear();
    others = 0;
  }

  return {
    note(request) {
      const kind = `${request.operation} ${String(request.status)} ${String(request.grant)}`;
      const known = kinds.get(kind);
      timer ??= setTimeout(flush, WINDOW_MS).unref();
      if (known !== undefined) known.more++;
      else if (kinds.size >= MAX_KINDS) others++;
      else {
        kinds.set(kind, { ...request, more: 0 });
        log.info('request', request);
      }
    },
    close: flush,
  };
}
