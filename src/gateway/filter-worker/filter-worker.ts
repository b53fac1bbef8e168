import { Worker } from 'node:worker_threads';
import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Log } from '../../ports/log.ts';
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts';
import type { FilterJob, FilterTask } from './filter-job.ts';

const BLOCK_BYTES = 262_144;
/** Of the thread's heap, what its code takes. */
const OWN_MB = 20;
/** Of the thread's heap, what is new: as in the process. */
const YOUNG_MB = 48;
/** A thread costs some 40 MB: it is there while there is work for it, and a while longer. */
const END_WITHIN_MS = 3_000;
const IDLE_MS = 60_000;
/** Grants with at most `SMALL_BYTES` in the queue may exceed `queueBytes` by this much. */
const RESERVED_BYTES = 4_194_304;
const SMALL_BYTES = 1_048_576;

/** One large answer on its way to the other thread. */
export interface FilterInput {
  /** Takes some of it; false where too much waits already, and then nothing more may be given. */
  push(chunk: Uint8Array): boolean;
  /** That was all. */
  end(): FilterJob;
  /** It is not wanted any more. */
  discard(): void;
}

/** Filters large answers in a thread of their own, while the gateway answers others. */
export interface FilterWorker {
  /**
   * @param grantId whose it is: one may fill what waits, but not shut the others out
   * @param size of the answer in bytes, where the homeserver says it
   */
  open(work: FilterTask, grantId: GrantId, size?: number): FilterInput;
  close(): Promise<void>;
}

/** What the thread is given. */
type Options = {
  /**
   * Bytes of answers that may be with the thread at one time, whoever's they are; a little more for those who
   * have little.
   */
  readonly queueBytes: number;
  /** For one step, those before it in the queue not counted. */
  readonly stepTimeoutMs: number;
  /**
   * What the thread's heap may grow to. It filters nothing that could take all of it: a thread that hits this limit
   * can take the process with it.
   */
  readonly heapMb: number;
  readonly log: Log;
  /** For tests of a thread that goes wrong. */
  readonly thread?: URL;
  readonly idleMs?: number;
};

type Step = {
  readonly id: number;
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: MintwardenError) => void;
};

const THREAD = new URL('../filter-thread.ts', import.meta.url);

/**
 * Starts the thread with the first large answer, ends it when there was none for a while, and starts it again
 * after it died or hung: the answers that were with it become 502, and
 * nobody else is.
 */
export function createFilterWorker(options: Options): FilterWorker {
  const { queueBytes, stepTimeoutMs, log, thread = THREAD, heapMb, idleMs = IDLE_MS } = options;
  let worker: Worker | null = null;
  let waiting = new Map<number, Step>();
  let watch: NodeJS.Timeout | null = null;
  let queued = 0;
  const queuedBy = new Map<GrantId, number>();
  let lastId = 0;
  let feeds = 0;
  let idle: NodeJS.Timeout | undefined;

  function start(): Worker {
    const fresh = new Worker(thread, {
      env: {},
      name: 'mintwarden-filter',
      workerData: { parsedBytes: Math.max(heapMb / 2, heapMb - OWN_MB) * 1_048_576 } satisfies WorkerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    fresh.unref();
    fresh.on('message', (message: FromWorker) => {
      if (worker !== fresh) return;
      const step = waiting.get(message.id);
      waiting.delete(message.id);
      rewind();
      if (message.step === 'fault') step?.reject(unreadableResponse());
      else step?.resolve(message);
    });
    fresh.on('error', () => lose(fresh, 'died'));
    fresh.on('exit', () => lose(fresh, 'ended'));
    return fresh;
  }

  /** The thread is busy with one step after another: each answer shows that it is alive. */
  function rewind(): void {
    if (watch !== null) clearTimeout(watch);
    const current = worker;
    watch =
      waiting.size === 0 || current === null
        ? null
        : setTimeout(() => lose(current, 'hangs'), stepTimeoutMs).unref();
  }

  function lose(lost: Worker, how: string): void {
    if (worker !== lost) return;
    worker = null;
    const steps = waiting;
    waiting = new Map();
    rewind();
    log.error('filter worker lost', { how, answers: steps.size });
    void lost.terminate();
    for (const step of steps.values()) step.reject(unreadableResponse());
  }

  /** Looked at when a feed ends: if no other has come by then, the thread goes. */
  function rest(): void {
    clearTimeout(idle);
    if (feeds > 0) return;
    idle = setTimeout(() => {
      const unused = worker;
      worker = null;
      if (unused !== null) void endGracefully(unused);
    }, idleMs).unref();
  }

  const count = (grantId: GrantId, bytes: number): void => {
    queued += bytes;
    const mine = (queuedBy.get(grantId) ?? 0) + bytes;
    if (mine > 0) queuedBy.set(grantId, mine);
    else queuedBy.delete(grantId);
  };
  const isTooMuch = (grantId: GrantId, bytes: number): boolean => {
    const isSmall = (queuedBy.get(grantId) ?? 0) + bytes <= SMALL_BYTES;
    return queued + bytes > queueBytes + (isSmall ? RESERVED_BYTES : 0);
  };

  return {
    open(work, grantId) {
      const id = ++lastId;
      feeds++;
      clearTimeout(idle);
      const mine = (worker ??= start());
      let bytes = 0;
      let over = false;
      let block = new Uint8Array(BLOCK_BYTES);
      let filled = 0;
      const post = (message: ToWorker, transfer: readonly ArrayBuffer[] = []): void => {
        if (worker === mine) mine.postMessage(message, transfer);
      };
      const flush = (): void => {
        if (filled === 0) return;
        post({ id, step: 'chunk', bytes: block.subarray(0, filled) }, [block.buffer]);
        block = new Uint8Array(BLOCK_BYTES);
        filled = 0;
      };
      const drop = (): void => {
        if (over) return;
        over = true;
        count(grantId, -bytes);
        feeds--;
        rest();
        if (waiting.delete(id)) rewind();
        post({ id, step: 'drop' });
      };
      const ask = (message: ToWorker): Promise<FromWorker> => {
        const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
        if (over || worker !== mine) reject(unreadableResponse());
        else {
          waiting.set(id, { id, resolve, reject });
          if (watch === null) rewind();
          post(message);
        }
        return promise;
      };
      return {
        push(chunk) {
          if (over || isTooMuch(grantId, chunk.byteLength)) return false;
          count(grantId, chunk.byteLength);
          bytes += chunk.byteLength;
          // Copied, since what the connection gives shares its memory with what comes after it.
          for (let at = 0; at < chunk.byteLength;) {
            const piece = chunk.subarray(at, at + BLOCK_BYTES - filled);
            block.set(piece, filled);
            filled += piece.byteLength;
            at += piece.byteLength;
            if (filled === BLOCK_BYTES) flush();
          }
          return true;
        },
        end() {
          flush();
          const read = ask({ id, step: 'read', work });
          read.catch(() => undefined);
          return {
            roomIds: async () => expectStep(await read, 'read').roomIds,
            filter: async (rooms, whole) =>
              expectStep(await ask({ id, step: 'filter', rooms: new Set(rooms), whole }), 'filter').shown,
            async response(creates) {
              const {
                status,
                bytes: written,
                mediaReferences,
              } = expectStep(await ask({ id, step: 'response', creates }), 'response');
              return { status, body: null, serialized: [written], mediaReferences };
            },
            release: drop,
          };
        },
        discard: drop,
      };
    },
    async close() {
      clearTimeout(idle);
      const last = worker;
      worker = null;
      for (const step of waiting.values()) step.reject(unreadableResponse());
      waiting = new Map();
      rewind();
      if (last !== null) await endGracefully(last);
    },
  };
}

/**
 * It ends by itself: Node now and then crashes where a thread is terminated from outside while it still loads
 * its modules.
 */
async function endGracefully(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = setTimeout(() => void worker.terminate(), END_WITHIN_MS);
  worker.once('exit', () => resolve());
  const end: ToWorker = { id: 0, step: 'end' };
  worker.postMessage(end, []);
  await promise;
  clearTimeout(late);
}

function expectStep<Name extends FromWorker['step']>(
  message: FromWorker,
  step: Name,
): Extract<FromWorker, { readonly step: Name }> {
  if (message.step !== step) throw unreadableResponse();
  return message as Extract<FromWorker, { readonly step: Name }>;
}

function unreadableResponse(): MintwardenError {
  return new MintwardenError('homeserver-invalid-response', "The homeserver's answer could not be read.");
}
