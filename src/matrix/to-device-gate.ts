import type { Contacts } from './contacts.ts';
import { isJsonObject, objectAt, stringAt, type JsonObject } from './homeserver.ts';
import { createPace } from './pace.ts';

const OLM = 'm.olm.v1.curve25519-aes-sha2';
/** A room key takes some 3 kB. */
const MAX_CIPHERTEXT = 16_384;
/** What one sender may send at once, and then how often: a client sends one event for each key that it makes. */
const BURST = 100;
const REFILL_MS = 5_000;

/** To-device events that were refused: from people the bot has no business with, and too many of a contact's. */
export type ToDeviceRefusals = {
  readonly strangers: number;
  readonly tooMany: number;
  /** Whom the last of them came from. */
  readonly lastSender: string;
};

/** Decides which to-device events reach the encryption engine. */
export type ToDeviceGate = {
  /**
   * The events for the engine, in their order: Olm messages for this device, from contacts, at a pace. Anyone with
   * an account can send others, and what the engine takes in it keeps.
   * @throws MintwardenError as `Contacts.among`
   */
  admit(events: readonly unknown[]): Promise<readonly JsonObject[]>;
};

/**
 * @param options `identityKey`: this device's Curve25519 key; `elapsedMs`: a clock that only goes forward;
 *   `onRefused` is called once for each batch in which something was refused. What contacts' clients send to
 *   everyone (key requests, verification) is left out without being counted.
 */
export function createToDeviceGate(options: {
  readonly contacts: Contacts;
  readonly identityKey: string;
  readonly onRefused: (refused: ToDeviceRefusals) => void;
  readonly elapsedMs: () => number;
}): ToDeviceGate {
  const { contacts, identityKey, elapsedMs } = options;
  const takeOne = createPace({ burst: BURST, refillMs: REFILL_MS, elapsedMs });

  return {
    async admit(events) {
      if (events.length === 0) return [];
      const known = await contacts.among(new Set(events.map(senderOf)));
      let [strangers, tooMany, lastSender] = [0, 0, ''];
      const admitted = events.filter((event): event is JsonObject => {
        const sender = senderOf(event);
        if (known.has(sender)) {
          if (!isOlmMessage(event, identityKey)) return false;
          if (takeOne(sender)) return true;
          tooMany++;
        } else strangers++;
        lastSender = sender;
        return false;
      });
      if (strangers + tooMany > 0) options.onRefused({ strangers, tooMany, lastSender });
      return admitted;
    },
  };
}

function senderOf(event: unknown): string {
  return stringAt(event, 'sender') ?? '';
}

/** Whether it is encrypted for this device, as far as can be seen from outside. */
function isOlmMessage(event: unknown, identityKey: string): boolean {
  if (!isJsonObject(event) || event['type'] !== 'm.room.encrypted') return false;
  const content = objectAt(event, 'content');
  const body = stringAt(objectAt(objectAt(content, 'ciphertext'), identityKey), 'body');
  return content['algorithm'] === OLM && body !== null && body.length <= MAX_CIPHERTEXT;
}
