import type { RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { Field } from './field.ts';
import type { Lane } from './lane.ts';
import type { Asked } from './leaky-homeserver.ts';
import { faultOfAsked } from './oracle/asked.ts';
import type { Bounds } from './oracle/bounds.ts';
import { faultOfResponse } from './oracle/response.ts';
import { randomOf } from './random.ts';
import type { Sample } from './requests.ts';
import { SUBJECT } from './world.ts';

/** All that happens in one session: nothing else is left to chance. */
export type Play = {
  readonly seed: number;
  readonly scope: Scope;
  readonly rooms: readonly RoomId[];
  readonly samples: readonly Sample[];
};

/** Something that must not have happened, and the request it happened with. */
export type Violation = {
  readonly what: string;
  readonly at: number;
  readonly sample: Sample;
  readonly asked: readonly Asked[];
  readonly told: string;
};

/** What is done to the gateway's own idea of a grant, to see whether the oracle notices. */
export type Weakening = (
  scope: Scope,
  rooms: readonly RoomId[],
) => { readonly scope: Scope; readonly rooms: readonly RoomId[] };

/** What one request came to. */
export type Seen = { readonly operation: string; readonly status: number; readonly asked: number };

const HOST = 'gateway.test';

/** Plays a session against the gateway. The first violation ends it. */
export async function play(
  field: Field,
  lane: Lane,
  one: Play,
  onSeen: (seen: Seen) => void,
  weaken?: Weakening,
): Promise<Violation | null> {
  const { scope, rooms } = weaken?.(one.scope, one.rooms) ?? one;
  const granted = field.grant(scope, rooms);
  const asked: Asked[] = [];
  field.homeserver.listeners.set(`Bearer ${granted.upstreamToken}`, { asked, random: randomOf(one.seed) });
  const bounds: Bounds = { scope: one.scope, rooms: new Set(one.rooms), subject: SUBJECT };
  const known = new Set<string>();
  let uses = 0;
  try {
    for (const [at, sample] of one.samples.entries()) {
      for (const name of namesIn(`${sample.target} ${sample.body ?? ''}`)) known.add(name);
      asked.length = 0;
      const told = await lane.ask(bytesOf(sample, granted.token), sample.method === 'HEAD');
      const log = field.operations.get(granted.grantId)?.splice(0).at(-1);
      onSeen({ operation: log?.operation ?? 'none', status: told?.status ?? 0, asked: asked.length });
      if (asked.length > 0) uses++;
      const over = uses > (one.scope.uses ?? Number.POSITIVE_INFINITY) ? 'asked once too often' : null;
      const what = over ?? violation(sample, told, asked, bounds, known, field);
      if (what !== null)
        return { what, at, sample, asked: [...asked], told: JSON.stringify(told).slice(0, 3_000) };
    }
    return null;
  } catch (error) {
    // The oracle itself could not read what came: as bad as what it does not allow.
    return {
      what: `the oracle failed: ${String(error)}`,
      at: 0,
      sample: one.samples[0] as Sample,
      asked: [...asked],
      told: '',
    };
  } finally {
    granted.end();
    field.homeserver.listeners.delete(`Bearer ${granted.upstreamToken}`);
  }
}

function violation(
  sample: Sample,
  told: Parameters<typeof faultOfResponse>[0] | null,
  asked: readonly Asked[],
  bounds: Bounds,
  known: ReadonlySet<string>,
  field: Field,
): string | null {
  if (sample.token !== 'own' && asked.length > 0) return 'asked for somebody without a token';
  for (const one of asked) {
    const fault = faultOfAsked(one, bounds);
    if (fault !== null) return `asked: ${fault}`;
  }
  for (const stray of field.homeserver.strays.splice(0)) {
    const plain =
      stray.method === 'GET' &&
      stray.url === '/_matrix/client/versions' &&
      stray.body === '' &&
      !/authorization/i.test(stray.rawHeaders.join());
    if (!plain) return `asked without a token: ${stray.method} ${stray.url}`;
  }
  if (told === null) return 'no answer';
  const fault = faultOfResponse(told, bounds, known);
  return fault === null ? null : `told: ${fault}`;
}

/** The rooms' numbers in whatever a text names, decoded over and over. */
function namesIn(text: string): Set<string> {
  const found = new Set<string>();
  let at = text;
  for (let depth = 0; depth < 3; depth++) {
    for (const [, room = ''] of at.matchAll(/nq(\d)/gi)) found.add(room);
    const next = at.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === at) break;
    at = next;
  }
  return found;
}

const METHOD_TOKEN = { own: '', stranger: 'mwt_stranger', none: '' } as const;

/** The request on the wire, as latin1. */
function bytesOf({ method, target, headers, token, body, chunked }: Sample, own: string): string {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${HOST}`];
  const bearer = token === 'own' ? own : METHOD_TOKEN[token];
  if (bearer !== '') lines.push(`Authorization: Bearer ${bearer}`);
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const bytes = body === null ? '' : Buffer.from(body).toString('latin1');
  if (body !== null) lines.push(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes.length}`);
  const sent =
    body === null
      ? ''
      : chunked
        ? `${bytes === '' ? '' : `${bytes.length.toString(16)}\r\n${bytes}\r\n`}0\r\n\r\n`
        : bytes;
  return `${lines.join('\r\n')}\r\n\r\n${sent}`;
}
