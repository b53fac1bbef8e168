import { isAscii } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { MintwardenError } from '../../domain/errors.ts';
import type { RoomId } from '../../domain/ids.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import { filterBytes, type RoomTask } from '../filters/bytes/byte-filter.ts';
import { type GatewayResponse, INVALID_UPSTREAM_RESPONSE, NOT_FOUND } from '../http/response.ts';
import { type ByteInput, byteInput, byteTaskOf, roomTaskOf } from './byte-input.ts';
import { parseUpstreamJson } from './parse-upstream-json.ts';
import type { FilterJob, FilterTask, LocalFilterJob } from './filter-job.ts';
import type { Call } from '../http/call.ts';
import type { FilterInput, FilterWorker } from './filter-worker.ts';

/** The filter over bytes showed something else than the one over parsed JSON, which was then taken. */
export type FilterDifference = {
  /** Which answer: never what is in it. */
  readonly answer: FilterTask['kind'] | RoomTask['kind'];
};

/** Filters answers, whatever their size. */
export interface AnswerFilters extends FilterWorker {
  /**
   * Filters a whole small answer over its bytes, here and now. Null: it is to be read as JSON.
   * @param tree the same filter over parsed JSON
   */
  filterInPlace(
    kind: RoomTask['kind'],
    call: Call,
    tree: AnswerFilter,
    bytes: Buffer,
  ): GatewayResponse | null;
}

/** How answers are filtered. */
export type FilterOptions = {
  /** `auto`: over their bytes where that is possible; `tree`: all over parsed JSON. */
  readonly mode: 'auto' | 'tree';
  /** Told once: from then on everything is filtered over parsed JSON, until the next start. */
  readonly onDifference: (difference: FilterDifference) => void;
  /** For tests: whether an answer is filtered in both ways. */
  readonly isSampled?: () => boolean;
};

/** One of so many answers is filtered in both ways. */
const SAMPLE = 1_000;
/** Comparing takes time: larger answers are not compared. */
const MAX_COMPARED_BYTES = 524_288;

/**
 * Filters `/sync` and lists of a room's events over their bytes, in place and while they arrive; everything else
 * in the worker. A sample goes both ways.
 */
export function answerFilters(worker: FilterWorker, options: FilterOptions): AnswerFilters {
  const { mode, onDifference, isSampled = () => Math.random() * SAMPLE < 1 } = options;
  let isOff = mode === 'tree';
  const differ = (answer: FilterDifference['answer']): void => {
    if (!isOff) onDifference({ answer });
    isOff = true;
  };
  return {
    open(work, grantId, size) {
      const task = isOff ? null : byteTaskOf(work);
      if (task === null) return worker.open(work, grantId);
      const bytes = byteInput(task, size);
      if (!isSampled()) return once(bytes);
      return twice(bytes, worker.open(work, grantId), () => differ(work.kind));
    },
    filterInPlace(kind, call, tree, bytes) {
      if (isOff) return null;
      const shown = filterSmall(bytes, roomTaskOf(kind, call));
      if (!isSampled()) return shown;
      if (isDeepStrictEqual(parsed(shown), parsed(treeResponse(tree, bytes)))) return shown;
      differ(kind);
      return null;
    },
    close: () => worker.close(),
  };
}

function filterSmall(bytes: Buffer, task: RoomTask): GatewayResponse {
  const filtered = attempted(() => filterBytes(bytes, task));
  if (filtered === null) return INVALID_UPSTREAM_RESPONSE;
  if (filtered.value === null) return NOT_FOUND;
  const { bytes: shown, references } = filtered.value;
  // A text goes out together with its head.
  const serialized = shown.toString(isAscii(shown) ? 'latin1' : 'utf8');
  return { status: 200, body: null, serialized, mediaReferences: references };
}

function treeResponse(tree: AnswerFilter, bytes: Buffer): GatewayResponse {
  const body = parseUpstreamJson(bytes);
  if (body === undefined) return INVALID_UPSTREAM_RESPONSE;
  return attempted(() => tree(body, NO_ROOMS))?.value ?? INVALID_UPSTREAM_RESPONSE;
}

const NO_ROOMS: ReadonlySet<RoomId> = new Set();

/** What two filters must agree about. */
function parsed({ status, body, serialized }: GatewayResponse): readonly unknown[] {
  if (serialized === undefined) return [status, body];
  return [
    status,
    JSON.parse(typeof serialized === 'string' ? serialized : Buffer.concat(serialized).toString()),
  ];
}

/** Nothing waits: what was taken is filtered. */
function once(bytes: ByteInput): FilterInput {
  return {
    push(chunk) {
      bytes.push(chunk);
      return true;
    },
    end: () => bytes.end(),
    discard: () => undefined,
  };
}

/** Gives an answer to both filters. */
function twice(bytes: ByteInput, tree: FilterInput, onDifference: () => void): FilterInput {
  let isCompared = true;
  let size = 0;
  const drop = (): void => {
    if (isCompared) tree.discard();
    isCompared = false;
  };
  return {
    push(chunk) {
      size += chunk.byteLength;
      bytes.push(chunk);
      if (isCompared && (size > MAX_COMPARED_BYTES || !tree.push(chunk))) drop();
      return true;
    },
    end: () => (isCompared ? comparedJob(bytes.end(), tree.end(), onDifference) : bytes.end()),
    discard: drop,
  };
}

/**
 * Takes each step in both ways; where they differ, what the filter over parsed JSON says counts. The one over
 * bytes may find out in an earlier step that an answer is invalid.
 */
function comparedJob(bytes: LocalFilterJob, tree: FilterJob, onDifference: () => void): FilterJob {
  let isInvalid = false;
  const compare = async <Value>(
    byBytes: () => Value,
    byTree: () => Value | Promise<Value>,
    read: (value: Value) => unknown,
  ): Promise<Value> => {
    const one = isInvalid ? null : attempted(byBytes);
    if (one === null) isInvalid = true;
    try {
      const other = await byTree();
      if (one !== null && !isDeepStrictEqual(read(one.value), read(other))) onDifference();
      return other;
    } catch (error) {
      if (one !== null) onDifference();
      throw error;
    }
  };
  return {
    roomIds: () =>
      compare<readonly string[]>(
        () => bytes.roomIds(),
        () => tree.roomIds(),
        (ids) => ids.toSorted(),
      ),
    filter: (rooms, whole) =>
      compare(
        () => bytes.filter(rooms, whole),
        () => tree.filter(rooms, whole),
        (summary) => ({ ...summary, missingCreate: summary.missingCreate.toSorted() }),
      ),
    async response(creates) {
      const response = await compare<GatewayResponse>(
        () => bytes.response(creates),
        () => tree.response(creates),
        parsed,
      );
      if (isInvalid) onDifference();
      return response;
    },
    release: () => tree.release(),
  };
}

function attempted<Value>(run: () => Value): { readonly value: Value } | null {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof MintwardenError) return null;
    throw error;
  }
}
