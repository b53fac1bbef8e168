import type { Exchange } from './transport.ts';

/** Path and query by RFC 3986 (pchar, `/`, `?`): nothing that could end the request line. */
const TARGET = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/;
const NAME = /^[a-z][a-z0-9-]*$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e]/;

/**
 * Written only by the transport, if at all: they decide where a request ends and what happens to the
 * connection.
 */
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
/** Valid names seen before: there are few, and they are constants. */
const rememberedNames = new Set<string>();

/** Why a request must not be written; null if it may. The sentence quotes nothing from the request. */
export function problemOf({ method, target, headers, body }: Exchange): string | null {
  if (!TARGET.test(target)) return 'The target has characters that must be encoded.';
  if (method === 'GET' && body !== null) return 'A GET must not have a body.';
  if (headers.length % 2 !== 0) return 'A header has no value.';
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!rememberedNames.has(name) && !mayName(name)) return 'A header has a forbidden name.';
    if (NOT_IN_VALUE.test(headers[at + 1] as string)) return 'A header has a forbidden value.';
  }
  return null;
}

function mayName(name: string): boolean {
  if (!NAME.test(name) || OURS.has(name)) return false;
  if (rememberedNames.size < MAX_REMEMBERED) rememberedNames.add(name);
  return true;
}

/** The rest of the request line after the target, and the headers that are the same in every request. */
export function constantLines(host: string): string {
  return ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
}

/**
 * A request as it is written, including its body.
 * @param base the path of the homeserver's URL
 * @param constant from `constantLines`
 * @param bodyBytes length of the body in UTF-8
 */
export function requestText(base: string, constant: string, exchange: Exchange, bodyBytes: number): string {
  const { method, target, headers, body } = exchange;
  let text = `${method} ${base}${target}${constant}`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  // Methods that expect a body say so if there is none (RFC 9110, 8.6).
  if (body === null)
    return method === 'GET' || method === 'DELETE' ? `${text}\r\n` : `${text}content-length: 0\r\n\r\n`;
  return `${text}content-length: ${bodyBytes}\r\n\r\n${body}`;
}
