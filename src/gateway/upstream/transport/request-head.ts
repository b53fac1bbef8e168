import type { Exchange } from './transport.ts';

/** Path and query as RFC 3986 spells them (pchar, `/`, `?`): nothing that could end the request line. */
const TARGET = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/;
const NAME = /^[a-z][a-z0-9-]*$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e]/;

/** Written by the transport, or never: they say where a request ends and what becomes of the connection. */
const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const MAX_REMEMBERED = 64;
/** Names are few and constant. */
const rememberedNames = new Set<string>();

/** What is wrong with a request, so that it must not be written; null: nothing. The sentence quotes nothing of it. */
export function problemOf({ method, target, headers, body }: Exchange): string | null {
  if (!TARGET.test(target)) return 'Its target has characters that must be encoded.';
  if (method === 'GET' && body !== null) return 'A GET has no body.';
  if (headers.length % 2 !== 0) return 'A header has no value.';
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!rememberedNames.has(name) && !mayName(name)) return 'A header has a name that it must not have.';
    if (NOT_IN_VALUE.test(headers[at + 1] as string)) return 'A header has a value that it must not have.';
  }
  return null;
}

function mayName(name: string): boolean {
  if (!NAME.test(name) || OURS.has(name)) return false;
  if (rememberedNames.size < MAX_REMEMBERED) rememberedNames.add(name);
  return true;
}

/** The request line and the headers that are the same in each request, from the target's end on. */
export function constantLines(host: string): string {
  return ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
}

/**
 * A request as it is written, with its body.
 * @param base the path of the homeserver's URL
 * @param constant from `constantLines`
 * @param bodyBytes the length of its body in UTF-8; 0 where it has none
 */
export function requestText(base: string, constant: string, exchange: Exchange, bodyBytes: number): string {
  const { method, target, headers, body } = exchange;
  let text = `${method} ${base}${target}${constant}`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  // A request whose method expects a body says that it has none (RFC 9110, 8.6).
  if (body === null)
    return method === 'GET' || method === 'DELETE' ? `${text}\r\n` : `${text}content-length: 0\r\n\r\n`;
  return `${text}content-length: ${bodyBytes}\r\n\r\n${body}`;
}
