import type { RoomId } from '../../domain/ids.ts';
import type { PowerAction } from '../../domain/power.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { JsonObject } from '../filters/json-shape.ts';

/** An event that has to be in the room before anything is sent. */
export type Target = {
  readonly eventId: string;
  /**
   * What must hold of it besides being in the room. Null: nothing; an answer: what the holder gets instead.
   */
  readonly fits: (event: JsonObject) => GatewayResponse | null;
  /** What it takes of power besides, now that it is known. */
  readonly takes?: (event: JsonObject) => readonly PowerAction[];
};

/**
 * A write that the scope allows as far as that can be told without asking; built here, nothing in it is the
 * holder's spelling.
 */
export type WriteRequest = {
  readonly roomId: RoomId;
  /** What is done, for the memory of transaction ids. */
  readonly action: string;
  /** The holder's transaction id; null where they gave none. */
  readonly txnId: string | null;
  readonly content: JsonObject;
  /** The path to ask, encoded, less the transaction id that is put behind it. */
  readonly path: string;
  /** Whether the room must not be encrypted. */
  readonly onlyUnencrypted: boolean;
  readonly targets: readonly Target[];
  /** What of it power decides over, where the scope has a ceiling. */
  readonly powerActions: readonly PowerAction[];
};
