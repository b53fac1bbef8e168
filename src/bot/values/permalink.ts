const URI_SIGILS: Record<string, string> = { u: '@', user: '@', roomid: '!', r: '#', room: '#' };

function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * The user id, room id or alias that a link names: `https://matrix.to/#/…` (spec appendix, "matrix.to
 * navigation") or a
 * `matrix:` URI (spec appendix, "Matrix URI scheme"); null for anything else, links to an event included.
 */
export function parsePermalink(link: string): string | null {
  const to = /^(?:https?:\/\/)?(?:www\.)?matrix\.to\/#\/([^/?]+)\/?(?:\?.*)?$/is.exec(link)?.[1];
  if (to !== undefined) {
    const id = tryDecode(to);
    return id !== null && /^[@!#]/.test(id) ? id : null;
  }
  const uri = /^matrix:(?:\/\/[^/]*\/)?([a-z]+)\/([^/?#]+)(?:\?[^#]*)?$/is.exec(link);
  const sigil = URI_SIGILS[uri?.[1]?.toLowerCase() ?? ''];
  const name = tryDecode(uri?.[2] ?? '');
  return sigil === undefined || name === null || name === '' ? null : sigil + name;
}
