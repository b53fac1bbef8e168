/** What a holder's client is given, and nothing else. */
export interface Held {
  baseUrl: string;
  token: string;
  userId: string;
}

/**
 * A stock client, unchanged, used by its own high-level interface as its documentation says. Each method
 * rejects with the words of the client itself where it is refused.
 */
export interface HolderClient extends AsyncDisposable {
  readonly name: string;
  /** Starts it and waits until its first sync is in. Not needed to send. */
  start(): Promise<void>;
  rooms(): Promise<string[]>;
  /** Joins a room, as bots do at start though they are in it. */
  join(roomId: string): Promise<void>;
  /** The name the room has for it. */
  nameOf(roomId: string): Promise<string>;
  members(roomId: string): Promise<string[]>;
  /** The texts its syncs brought of a room. */
  heard(roomId: string): Promise<string[]>;
  /** The texts around an event, asked for. */
  history(roomId: string, eventId: string): Promise<string[]>;
  say(roomId: string, text: string): Promise<string>;
  reply(roomId: string, eventId: string, text: string): Promise<string>;
  react(roomId: string, eventId: string, key: string): Promise<string>;
  edit(roomId: string, eventId: string, text: string): Promise<string>;
  redact(roomId: string, eventId: string): Promise<void>;
  upload(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<string>;
  download(mxc: string): Promise<Uint8Array>;
  typing(roomId: string): Promise<void>;
  markRead(roomId: string, eventId: string): Promise<void>;
  /** How it was told, by itself, that its token does not count any more; null: not yet. */
  ended(): Promise<string | null>;
}

/** The content of an edit, as clients make it. */
export function editOf(eventId: string, text: string): Record<string, unknown> {
  return {
    msgtype: 'm.text',
    body: `* ${text}`,
    'm.new_content': { msgtype: 'm.text', body: text },
    'm.relates_to': { rel_type: 'm.replace', event_id: eventId },
  };
}
