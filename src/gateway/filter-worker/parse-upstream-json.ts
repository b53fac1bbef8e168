const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The JSON of an answer of the homeserver; undefined where it is none, or not UTF-8. */
export function parseUpstreamJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
