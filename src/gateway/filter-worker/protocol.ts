import type { RoomId } from '../../domain/ids.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import type { MediaReference } from '../../domain/media-reference.ts';
import type { FilterSummary, FilterTask } from './filter-job.ts';

/** What the thread is started with: how much answers may take as objects at one time, in bytes. */
export type WorkerData = { readonly parsedBytes: number };

/** What is sent to the thread about one answer. All but `chunk` and `drop` are answered by one `FromWorker`. */
export type ToWorker =
  /** Some bytes of the answer, in their order; transferred, not copied. */
  | { readonly id: number; readonly step: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** That was all: read it. */
  | { readonly id: number; readonly step: 'read'; readonly work: FilterTask }
  | {
      readonly id: number;
      readonly step: 'filter';
      readonly rooms: ReadonlySet<RoomId>;
      readonly whole: boolean;
    }
  | { readonly id: number; readonly step: 'response'; readonly creates: ReadonlyMap<string, JsonObject> }
  /** Forget it. */
  | { readonly id: number; readonly step: 'drop' }
  /** End. */
  | { readonly id: number; readonly step: 'end' };

/** What a step came to. */
export type FromWorker =
  /** It waits for room, and is well. */
  | { readonly id: 0; readonly step: 'alive' }
  | { readonly id: number; readonly step: 'read'; readonly roomIds: readonly string[] }
  | { readonly id: number; readonly step: 'filter'; readonly shown: FilterSummary }
  | {
      readonly id: number;
      readonly step: 'response';
      readonly status: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly mediaReferences: readonly MediaReference[];
    }
  /** The answer is not what the specification says. */
  | { readonly id: number; readonly step: 'fault' };
