import { MintwardenError } from '../../domain/errors.ts';
import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import {
  byteFilter,
  type ByteFilter,
  type ByteFilterTask,
  type RoomTask,
} from '../filters/bytes/byte-filter.ts';
import type { SyncResponse } from '../filters/bytes/sync-response.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import type { Call } from '../http/call.ts';
import { NOT_FOUND } from '../http/response.ts';
import { type FilterTask, type LocalFilterJob, UNSUMMARIZED } from './filter-job.ts';

/** An answer that is filtered here, over its bytes, while it arrives. */
export type ByteInput = {
  push(chunk: Uint8Array): void;
  end(): LocalFilterJob;
};

/** The task for a filter over bytes; null where there is none for such an answer. */
export function byteTaskOf(work: FilterTask): ByteFilterTask | null {
  if (work.kind === 'sync') {
    const { scope } = work.view;
    const named = canGrow(scope) || scope.rooms === 'all' ? null : new Set<string>(scope.rooms);
    return { kind: 'sync', view: work.view, mayShow: (roomId) => named === null || named.has(roomId) };
  }
  if (work.kind !== 'endpoint' || work.overBytes === undefined) return null;
  return roomTaskOf(work.overBytes, work.call);
}

/** The task for an answer that is all of the room in the path. */
export function roomTaskOf(kind: RoomTask['kind'], { params, access }: Call): RoomTask {
  return { kind, roomId: params['roomId'] ?? '', readable: readableTypesOf(access.grant.scope) };
}

/** Filters an answer while it arrives. What is wrong with it is told by the job's first step. */
export function byteInput(task: ByteFilterTask, size?: number): ByteInput {
  const filter = byteFilter(task, size);
  let fault: MintwardenError | null = null;
  const attempt = (run: () => void): void => {
    try {
      if (fault === null) run();
    } catch (error) {
      if (!(error instanceof MintwardenError)) throw error;
      fault = error;
    }
  };
  return {
    push: (chunk) => attempt(() => filter.push(chunk)),
    end() {
      attempt(() => filter.end());
      return byteJob(filter, fault, task.kind === 'sync');
    },
  };
}

function byteJob(filter: ByteFilter, fault: MintwardenError | null, isSync: boolean): LocalFilterJob {
  let sync: SyncResponse | null = null;
  return {
    roomIds() {
      if (fault !== null) throw fault;
      return filter.roomIds;
    },
    filter(rooms: ReadonlySet<RoomId>, whole) {
      if (!isSync) return UNSUMMARIZED;
      sync = filter.sync(rooms, whole);
      return { nextBatch: sync.nextBatch, news: sync.news, missingCreate: sync.missingCreate };
    },
    response(creates) {
      if (sync !== null) {
        const { pieces, references } = sync.write(creates);
        return { status: 200, body: null, serialized: pieces, mediaReferences: references };
      }
      const result = filter.result();
      if (result === null) return NOT_FOUND;
      const { bytes, references } = result;
      return { status: 200, body: null, serialized: [bytes], mediaReferences: references };
    },
    release: () => undefined,
  };
}
