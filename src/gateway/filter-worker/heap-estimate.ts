const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What V8 takes on 64 bits, in bytes: an object or a list with room for a few members, and each member or value. */
const CONTAINER_BYTES = 56;
const MEMBER_BYTES = 16;
const STRING_BYTES = 24;

/**
 * What a JSON text would take as objects, in bytes, roughly and rather too much: `{},{},…` becomes twenty-four times
 * as large, a list of long texts hardly larger. The text need not be JSON: then it says nothing.
 */
export function heapEstimate(json: Uint8Array): number {
  let bytes = 0;
  const { length } = json;
  for (let at = 0; at < length; at++) {
    switch (json[at] as number) {
      case QUOTE: {
        const start = at++;
        while (at < length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
        bytes += STRING_BYTES + at - start;
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
