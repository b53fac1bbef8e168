/** For each byte, whether it may stand in a token: the names of headers (RFC 9110, 5.6.2). */
export const IS_TOKEN: Uint8Array = tableOf((byte) =>
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(byte)),
);

/** For each byte, whether it may stand in a header's value or a reason phrase (RFC 9110, 5.5): no control but the tab. */
export const IS_TEXT: Uint8Array = tableOf((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

function tableOf(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}
