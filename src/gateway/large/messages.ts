import type { RoomId } from '../../domain/ids.ts';
import type { JsonObject } from '../filters/shown.ts';
import type { Showing } from '../media/showing.ts';
import type { Shown, Work } from './reading.ts';

/** What the thread is told about one answer. All but `chunk` and `drop` are answered by one `FromThread`. */
export type ToThread =
  /** Some bytes of the answer, in their order; transferred, not copied. */
  | { readonly id: number; readonly step: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** That was all: read it. */
  | { readonly id: number; readonly step: 'read'; readonly work: Work }
  | {
      readonly id: number;
      readonly step: 'show';
      readonly rooms: ReadonlySet<RoomId>;
      readonly whole: boolean;
    }
  | { readonly id: number; readonly step: 'answer'; readonly creates: ReadonlyMap<string, JsonObject> }
  /** Forget it. */
  | { readonly id: number; readonly step: 'drop' }
  /** End. */
  | { readonly id: number; readonly step: 'end' };

/** What a step came to. */
export type FromThread =
  | { readonly id: number; readonly step: 'read'; readonly spokenOf: readonly string[] }
  | { readonly id: number; readonly step: 'show'; readonly shown: Shown }
  | {
      readonly id: number;
      readonly step: 'answer';
      readonly status: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly showings: readonly Showing[];
    }
  /** The answer is not what the specification says. */
  | { readonly id: number; readonly step: 'fault' };
