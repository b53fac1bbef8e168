import * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';

/** Whose devices changed, and who need not be followed any more. */
export class DeviceLists {
  readonly changed: readonly string[];
  readonly left: readonly string[];

  constructor(changed: readonly wasm.UserId[] = [], left: readonly wasm.UserId[] = []) {
    this.changed = changed.map(String);
    this.left = left.map(String);
  }
}

/** The WASM takes ownership of the objects in an array, so it gets copies. */
export function ownedUserIds(users: readonly (wasm.UserId | string)[]): wasm.UserId[] {
  return users.map((user) => new wasm.UserId(user.toString()));
}

export function toWasmDeviceLists(lists: DeviceLists): wasm.DeviceLists {
  return new wasm.DeviceLists(ownedUserIds(lists.changed), ownedUserIds(lists.left));
}

/** What the binding answers: the events that were decrypted, as one JSON array. Others are nobody's word. */
export function decryptedEvents(events: readonly wasm.ProcessedToDeviceEvent[]): string {
  const decrypted = events.filter((event) => event.type === wasm.ProcessedToDeviceEventType.Decrypted);
  return `[${decrypted.map((event) => event.rawEvent).join(',')}]`;
}

/** The rooms that keys came for, in what `decryptedEvents` gives. Whoever sent them names the rooms as they like. */
export function roomsOfKeys(decrypted: string): ReadonlySet<string> {
  const events = JSON.parse(decrypted) as readonly { readonly content?: { readonly room_id?: unknown } }[];
  return new Set(events.map(({ content }) => content?.room_id).filter((room) => typeof room === 'string'));
}
