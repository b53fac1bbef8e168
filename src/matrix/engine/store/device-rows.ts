/** Between the parts of a key of the engine's, each of them hashed. */
const SEPARATOR = '\u001d';

/** The store of the room keys that were received; the first part of its keys is the room. */
export const ROOM_KEYS = 'inbound_group_sessions3';

/**
 * How many rows of one device are kept. A device writes with its newest room key, and with the Olm session
 * that was used last; what is further back is of no use to anyone.
 */
const KEPT_PER_DEVICE: ReadonlyMap<string, number> = new Map([
  [ROOM_KEYS, 20],
  ['session', 20],
  ['olm_hashes', 50],
]);
/** Beyond this the devices with the most keys in the room lose their oldest: no one crowds others out. */
const KEPT_PER_ROOM = 1_000;

/** Keys of rows, by the name of their store. */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** Whose device each row in the engine's store came from, those written last at the end. */
export interface DeviceRows {
  /** Whether it keeps account of this store. */
  covers(store: string): boolean;
  /** A row as it is now; `value` undefined: it is gone. */
  note(store: string, key: string, value: unknown): void;
  /** A row that was there before, in no order that is known. */
  noteOld(store: string, key: string, value: unknown): void;
  /** The rows beyond what is kept of the devices that wrote since the last call. */
  surplus(): Rows;
  /** The room keys of the rooms, each hashed, for which it is true. */
  roomKeys(isDropped: (room: string) => boolean): Rows;
}

/** The part of a key before its last: the room of a room key, the device of anything else. */
export function firstPart(key: string): string {
  return key.slice(0, key.indexOf(SEPARATOR));
}

export function createDeviceRows(): DeviceRows {
  /** By store and device (and room), in the order of their last write. */
  const rows = new Map<string, Set<string>>();
  const groupByRow = new Map<string, string>();
  const written = new Set<string>();
  const idOf = (store: string, key: string): string => `${store}\n${key}`;

  function groupOf(store: string, key: string, value: unknown): string {
    const sender = store === ROOM_KEYS ? senderOf(value) : '';
    return `${store}\n${firstPart(key)}\n${sender}`;
  }

  function forget(store: string, key: string): void {
    const group = groupByRow.get(idOf(store, key));
    if (group === undefined) return;
    groupByRow.delete(idOf(store, key));
    const keys = rows.get(group);
    keys?.delete(key);
    if (keys?.size === 0) rows.delete(group);
  }

  function surplusOfRoom(room: string, dropped: Set<string>): void {
    const groups = [...rows]
      .filter(([group]) => group.startsWith(`${ROOM_KEYS}\n${room}\n`))
      .map(([, keys]) => [...keys].filter((key) => !dropped.has(key)));
    let count = groups.reduce((sum, keys) => sum + keys.length, 0);
    for (; count > KEPT_PER_ROOM; count--) {
      const largest = groups.reduce((most, keys) => (keys.length > most.length ? keys : most));
      const oldest = largest.shift();
      if (oldest === undefined) return;
      dropped.add(oldest);
    }
  }

  function add(store: string, key: string, value: unknown): string {
    const group = groupOf(store, key, value);
    groupByRow.set(idOf(store, key), group);
    const keys = rows.get(group) ?? new Set();
    rows.set(group, keys.add(key));
    return group;
  }

  return {
    covers: (store) => KEPT_PER_DEVICE.has(store),
    note(store, key, value) {
      forget(store, key);
      if (value !== undefined) written.add(add(store, key, value));
    },
    noteOld: (store, key, value) => void add(store, key, value),
    surplus() {
      const dropped = new Map<string, Set<string>>();
      const rooms = new Set<string>();
      for (const group of written) {
        const [store = '', first = ''] = group.split('\n');
        const [keys, kept] = [rows.get(group), KEPT_PER_DEVICE.get(store)];
        if (store === ROOM_KEYS) rooms.add(first);
        if (keys === undefined || kept === undefined || keys.size <= kept) continue;
        const own = dropped.get(store) ?? new Set();
        for (const key of [...keys].slice(0, keys.size - kept)) own.add(key);
        dropped.set(store, own);
      }
      written.clear();
      const ofRooms = dropped.get(ROOM_KEYS) ?? new Set();
      for (const room of rooms) surplusOfRoom(room, ofRooms);
      if (ofRooms.size > 0) dropped.set(ROOM_KEYS, ofRooms);
      return new Map([...dropped].map(([store, keys]) => [store, [...keys]]));
    },
    roomKeys(isDropped) {
      const found = [...rows]
        .filter(([group]) => group.startsWith(`${ROOM_KEYS}\n`) && isDropped(group.split('\n')[1] ?? ''))
        .flatMap(([, keys]) => [...keys]);
      return found.length === 0 ? new Map() : new Map([[ROOM_KEYS, found]]);
    },
  };
}

/** The device that a room key came from, hashed; rows of before the engine noted it have none. */
function senderOf(value: unknown): string {
  const sender =
    typeof value === 'object' && value !== null && 'sender_key' in value ? value.sender_key : undefined;
  return typeof sender === 'string' ? sender : '';
}
