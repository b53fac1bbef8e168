import { isIP } from 'node:net';
import { type GatewayResponse, invalid, isResponse, ok } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { requireObject } from '../filters/json-shape.ts';
import { instant } from '../rewrite/query-rules.ts';

const PATH = '/_matrix/client/v1/media/preview_url';
const MAX_URL = 2_048;
const MAX_KEYS = 50;

/**
 * A page's preview, as the homeserver makes it by calling its address: http and https, by the name of a host,
 * without credentials. Which names lead inwards the homeserver must know itself
 * (`url_preview_ip_range_blacklist`).
 */
export function previewSteps(call: Call): MultiStep | GatewayResponse {
  const url = pageOf(call.query.get('url') ?? '');
  if (url === null) return invalid('url');
  const ts = call.query.get('ts');
  const at = ts === undefined ? null : instant(ts, call);
  if (ts !== undefined && at === null) return invalid('ts');
  const query: [string, string][] =
    at === null
      ? [['url', url]]
      : [
          ['url', url],
          ['ts', at],
        ];
  return async (tools) => {
    const reply = await tools.change({ method: 'GET', path: PATH, query }, 'personal', null);
    return isResponse(reply) ? reply : ok(shownPreview(reply.got));
  };
}

function pageOf(text: string): string | null {
  if (text.length > MAX_URL || !URL.canParse(text)) return null;
  const { protocol, username, password, hostname: host, href } = new URL(text);
  const hostname = host.replace(/\.$/, '');
  const inwards =
    !hostname.includes('.') ||
    isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0 ||
    hostname.endsWith('.local') ||
    hostname.endsWith('.localhost');
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && !inwards
    ? href
    : null;
}

/** Open Graph's names, with texts and numbers. */
function shownPreview(body: unknown): Readonly<Record<string, unknown>> {
  const said = Object.entries(requireObject(body, 'preview')).filter(
    ([name, value]) =>
      /^(?:og|article|matrix):[a-z0-9_:-]{1,60}$/.test(name) &&
      (typeof value === 'string' || Number.isSafeInteger(value)),
  );
  return Object.fromEntries(said.slice(0, MAX_KEYS));
}
