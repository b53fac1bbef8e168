import type { MediaReference } from '../../../domain/media-reference.ts';

/** What is known of the room whose events are read, and what was seen in them. */
export type RoomEvents = {
  roomId: string;
  /** The room id as a JSON string. */
  roomIdJson: Buffer;
  /** Whose membership is looked for; null: nobody's, nor the create event. */
  subjectJson: Buffer | null;
  hasCreate: boolean;
  hasOwnMember: boolean;
  news: boolean;
  references: MediaReference[];
  /** Account data, to be projected when the rooms in scope are known. */
  data: Buffer[];
};

/** Nothing was seen in the room yet. */
export function roomEvents(roomId: string, roomIdJson: Buffer, subjectJson: Buffer | null): RoomEvents {
  return {
    roomId,
    roomIdJson,
    subjectJson,
    hasCreate: false,
    hasOwnMember: false,
    news: false,
    references: [],
    data: [],
  };
}
