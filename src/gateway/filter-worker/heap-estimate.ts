const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What V8 takes on 64 bits, in bytes: an object or a list with room for a few members, and each member or value. */
const CONTAINER_BYTES = 56;
const MEMBER_BYTES = 16;
const STRING_BYTES = 24;

/** The first byte of a character that is above U+00FF: a text that has one takes two bytes for each character. */
const FIRST_OF_WIDE = 0xc4;

/**
 * What it takes to filter a JSON text as objects, in bytes: the text decoded, the objects, and what is written of them.
 * Roughly and rather too much. The text need not be JSON: then it says nothing.
 */
export function filterEstimate(json: Uint8Array): number {
  const width = json.some((byte) => byte >= FIRST_OF_WIDE) ? 2 : 1;
  return 2 * width * json.length + heapEstimate(json, width);
}

/**
 * What a JSON text would take as objects, in bytes, roughly and rather too much: `{},{},…` becomes twenty-four times
 * as large, a list of long texts hardly larger. The text need not be JSON: then it says nothing.
 * @param width bytes of each character
 */
export function heapEstimate(json: Uint8Array, width = 1): number {
  let bytes = 0;
  const { length } = json;
  for (let at = 0; at < length; at++) {
    switch (json[at] as number) {
      case QUOTE: {
        const start = at++;
        while (at < length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
        bytes += STRING_BYTES + (at - start) * width;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        bytes += CONTAINER_BYTES;
        break;
      case 0x2c: // ,
      case 0x3a: // :
        bytes += MEMBER_BYTES;
        break;
      default:
    }
  }
  return bytes;
}
