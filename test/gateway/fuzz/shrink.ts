import type { Play, Violation } from './session.ts';
import type { Sample } from './requests.ts';

const MAX_TRIES = 300;

/** A smaller play in which the same thing still happens. @param fails plays it: what happened, or null */
export async function shrunk(
  found: Play,
  violation: Violation,
  fails: (play: Play) => Promise<Violation | null>,
): Promise<readonly [Play, Violation]> {
  const kind = kindOf(violation);
  let best: Play = { ...found, samples: found.samples.slice(0, violation.at + 1) };
  let last = violation;
  let tries = 0;
  for (let progress = true; progress && tries < MAX_TRIES;) {
    progress = false;
    for (const candidate of smaller(best)) {
      if (++tries > MAX_TRIES) break;
      const again = await fails(candidate);
      if (again === null || kindOf(again) !== kind) continue;
      [best, last, progress] = [candidate, again, true];
      break;
    }
  }
  return [best, last];
}

/** Without the names in it, which may change on the way. */
function kindOf({ what }: Violation): string {
  return what.replaceAll(/[hn]q\w+/g, '');
}

function* smaller(play: Play): Iterable<Play> {
  const { samples, scope } = play;
  for (let at = 0; at < samples.length - 1; at++) yield { ...play, samples: samples.toSpliced(at, 1) };
  const last = samples.at(-1);
  if (last !== undefined)
    for (const sample of smallerSamples(last)) yield { ...play, samples: [...samples.slice(0, -1), sample] };
  for (let at = 0; at < scope.can.length; at++)
    yield { ...play, scope: { ...scope, can: scope.can.toSpliced(at, 1) } };
  if (scope.types !== undefined) {
    const { types: _, ...rest } = scope;
    yield { ...play, scope: rest };
  }
  const { rooms } = play;
  for (let at = 0; at < rooms.length; at++) {
    const fewer = rooms.toSpliced(at, 1);
    yield { ...play, rooms: fewer, scope: { ...scope, rooms: fewer } };
  }
  // What the homeserver does by chance.
  if (play.seed !== 0) yield { ...play, seed: 0 };
}

function* smallerSamples(sample: Sample): Iterable<Sample> {
  for (let at = 0; at < sample.headers.length; at++)
    yield { ...sample, headers: sample.headers.toSpliced(at, 1) };
  if (sample.chunked) yield { ...sample, chunked: false };
  const [path = '', query] = sample.target.split('?');
  if (query !== undefined) {
    yield { ...sample, target: path };
    const pieces = query.split('&');
    for (let at = 0; at < pieces.length; at++)
      yield { ...sample, target: `${path}?${pieces.toSpliced(at, 1).join('&')}` };
  }
  if (sample.body === null) return;
  yield { ...sample, body: null };
  yield { ...sample, body: '{}' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(sample.body);
  } catch {
    return;
  }
  if (typeof parsed !== 'object' || parsed === null) return;
  for (const key of Object.keys(parsed)) {
    const { [key]: _, ...rest } = parsed as Record<string, unknown>;
    yield { ...sample, body: JSON.stringify(rest) };
  }
}
