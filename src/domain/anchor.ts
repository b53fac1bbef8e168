import type { ChainHead } from './audit.ts';
import { canonicalJson } from './audit.ts';

/**
 * The ledger's position at one moment, posted to the control room so that an old copy can be recognised. It
 * is not encrypted, because it must be readable when the encryption store is lost or out of date; a MAC with
 * a key derived from the sealing key keeps anyone at the homeserver from forging one.
 */
export type Anchor = ChainHead & {
  /** Counts the histories: one more each time an operator goes on from a state that another had overtaken. */
  readonly generation: number;
  /** How many uses of grants were counted in all; those stand in no audit row. */
  readonly uses: number;
  /** When it was made, epoch ms. */
  readonly at: number;
  /** How many grants were live then. */
  readonly live: number;
};

/** How far a ledger is, to be held against an anchor. */
export type LedgerPosition = {
  readonly generation: number;
  readonly seq: number;
  readonly uses: number;
  /** The hash of its row at a place; null where it has none there. Place 0 is the start of the chain. */
  readonly hashAt: (seq: number) => Promise<string | null>;
};

/** Makes the code of a text (HMAC-SHA-256, hex) with the installation's own key. */
export type Mac = (text: string) => string;

/** What an anchor says, as the content of an event. */
export function anchorContent(anchor: Anchor, roomId: string, mac: Mac): Record<string, unknown> {
  return { ...fields(anchor), v: 1, mac: mac(macText(anchor, roomId)) };
}

/**
 * An anchor from the content of an event; null where it is none, or was not made with our key for this room.
 */
export function readAnchor(
  content: Readonly<Record<string, unknown>>,
  roomId: string,
  mac: Mac,
): Anchor | null {
  const { v, hash, mac: code } = content;
  const numbers = ['generation', 'seq', 'uses', 'at', 'live'].map((key) => content[key]);
  if (v !== 1 || typeof hash !== 'string' || typeof code !== 'string' || !numbers.every(isCount)) return null;
  const [generation, seq, uses, at, live] = numbers as [number, number, number, number, number];
  const anchor: Anchor = { generation, seq, uses, at, live, hash };
  return sameText(mac(macText(anchor, roomId)), code) ? anchor : null;
}

/**
 * Of two anchors the one that says more: of a later history, or further on in the same. An old one sent again
 * says less.
 */
export function isNewerAnchor(one: Anchor, other: Anchor): boolean {
  if (one.generation !== other.generation) return one.generation > other.generation;
  if (one.seq !== other.seq) return one.seq > other.seq;
  return one.uses > other.uses;
}

/**
 * What an anchor says of a ledger. `older`: it was further once, so this is an old copy of it. `other`: it
 * holds other rows than it did, or a later history was begun elsewhere. `well`: everything that was said then
 * is in it.
 */
export async function compareWithAnchor(
  anchor: Anchor,
  ledger: LedgerPosition,
): Promise<'well' | 'older' | 'other'> {
  if (anchor.generation < ledger.generation) return 'well';
  if (anchor.generation > ledger.generation) return 'other';
  if (anchor.seq > ledger.seq) return 'older';
  if ((await ledger.hashAt(anchor.seq)) !== anchor.hash) return 'other';
  return anchor.uses > ledger.uses ? 'older' : 'well';
}

function fields({ generation, seq, hash, uses, at, live }: Anchor): Record<string, unknown> {
  return { generation, seq, hash, uses, at, live };
}

function macText(anchor: Anchor, roomId: string): string {
  return canonicalJson({ ...fields(anchor), v: 1, room: roomId });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** In a time that does not depend on where they differ. */
function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}

/** Why the state is not to be gone on from until an operator says so. */
export type OldCopy = {
  /**
   * `cut`: somebody emptied anchors that were posted after the last one it knows of; what they said, nobody
   * can tell.
   */
  readonly why: 'older' | 'other' | 'cut';
  /** What was found in the control room; with `cut`, the last that is left or known. */
  readonly anchor: Anchor;
  /** How far the ledger was then. */
  readonly seq: number;
  readonly foundAt: number;
};
