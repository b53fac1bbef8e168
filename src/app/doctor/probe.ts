import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { instanceProver } from '../../gateway/http/instance-proof.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 65_536;
/** As a holder's, so that proxies take it for one; good for nothing. */
const DUMMY_TOKEN = `mwt_000000_${'0'.repeat(49)}`;

/** Who answers at an address. `localAddress`: of this machine, in that connection. */
export type ProbeResult =
  | { readonly kind: 'ours'; readonly from: string | null; readonly localAddress: string }
  | { readonly kind: 'another' }
  | { readonly kind: 'homeserver' }
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'nobody'; readonly why: string };

type HttpResult = { readonly status: number; readonly body: unknown; readonly localAddress: string };

/**
 * Asks a gateway to prove that it is the one with this key. The challenge is new each time, so that an answer
 * that was kept somewhere proves nothing.
 * @param as `holder`: with something like a scoped token; `anybody`: without a token
 */
export async function probe(
  baseUrl: string,
  instanceKey: string,
  as: 'holder' | 'anybody',
  headers: Record<string, string> = {},
): Promise<ProbeResult> {
  const challenge = randomBytes(24).toString('base64url');
  const authorization: Record<string, string> =
    as === 'holder' ? { authorization: `Bearer ${DUMMY_TOKEN}` } : {};
  const got = await get(`${baseUrl}/_matrix/client/unstable/org.mintwarden/instance/${challenge}`, {
    ...headers,
    ...authorization,
  });
  if ('kind' in got) return got;
  const proof = at(got.body, 'proof');
  if (got.status === 200 && typeof proof === 'string') {
    if (proof !== instanceProver(instanceKey)(challenge)) return { kind: 'another' };
    const from = at(got.body, 'from');
    return { kind: 'ours', from: typeof from === 'string' ? from : null, localAddress: got.localAddress };
  }
  // Without the token: for one that it does not know Synapse refuses to tell even that.
  const versions = await get(`${baseUrl}/_matrix/client/versions`, headers);
  if (!('kind' in versions) && versions.status === 200 && Array.isArray(at(versions.body, 'versions')))
    return { kind: 'homeserver' };
  return { kind: 'other', what: `status ${String(got.status)}` };
}

/** Redirects are not followed: a holder's client would carry its token there, or drop it. */
function get(
  url: string,
  headers: Record<string, string>,
): Promise<HttpResult | Exclude<ProbeResult, { readonly kind: 'ours' }>> {
  const { promise, resolve } = Promise.withResolvers<
    HttpResult | Exclude<ProbeResult, { readonly kind: 'ours' }>
  >();
  const ask = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = ask(url, { headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
    const localAddress = response.socket.localAddress ?? '';
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= MAX_BYTES) chunks.push(chunk);
      else response.destroy();
    });
    response.on('close', () =>
      resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks)), localAddress }),
    );
    response.on('error', () => undefined);
  });
  request.on('error', (error) => {
    const code = codeOf(error);
    resolve(
      isCertificateError(code)
        ? { kind: 'other', what: `its certificate is not trusted: ${code}` }
        : { kind: 'nobody', why: code },
    );
  });
  request.end();
  return promise;
}

function isCertificateError(code: string): boolean {
  return /CERT|UNABLE_TO_|SELF_SIGNED|^ERR_TLS|EPROTO|^ERR_SSL/.test(code);
}

function codeOf(error: unknown): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'code') : null;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no answer in time';
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
