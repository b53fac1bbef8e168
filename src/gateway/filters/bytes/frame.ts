import type { CompiledField, CompiledRule } from './compile.ts';
import type { Status } from './status.ts';

/** An object, a list or rooms that is being read piece by piece. */
export type Frame = {
  readonly rule: CompiledRule;
  /** The field of the object around it that it is the value of. */
  readonly field: CompiledField | null;
  /** Where it is written, with its key; it is taken back to there when nothing of it is shown. */
  readonly mark: number;
  /** Nothing of it is written by itself: its parts are put together in the end. */
  readonly isSilent: boolean;
  /** Whether anything of it was read yet. */
  isStarted: boolean;
  count: number;
  seen: number;
  shown: number;
  /** From where on the input can be passed on in one piece; -1: not. */
  from: number;
};

/** What is done beyond passing on, for `/sync`. */
export type StreamHooks = {
  /** A member of a silent object was read; what is shown of it is written from `start` on. */
  onSilent(field: CompiledField, status: Status, start: number): void;
  /** Before a field of a room is read. @returns false where it is to be skipped */
  beforeField(frame: Frame, field: CompiledField): boolean;
  /** A field of a room is read; what is shown of it is written from `start` on. */
  afterField(field: CompiledField, start: number): void;
  /** A list is about to be filled, or is whole. */
  onList(frame: Frame, isEnd: boolean): void;
  /** A field was missing and what stands for it is written. */
  onDefault(field: CompiledField): void;
  /** A room begins. @returns false where it is to be skipped */
  beforeRoom(section: string, roomId: string, roomIdJson: Buffer, isObject: boolean): boolean;
  afterRoom(): void;
};
