import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { field, type Field } from './field.ts';
import { type Lane, laneTo } from './lane.ts';
import { randomOf } from './random.ts';
import { sampleOf } from './requests.ts';
import { roomsOf, scopeOf } from './scopes.ts';
import { play, type Play, type Seen, type Violation, type Weakening } from './session.ts';
import { shrunk } from './shrink.ts';

/** What came of a run. */
export type Figures = {
  readonly seed: number;
  readonly cases: number;
  readonly ms: number;
  /** Requests of which at least one reached the homeserver, and how many did in all. */
  readonly forwarded: number;
  readonly asked: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations of the catalogue that were reached, were answered 200, and had the homeserver asked. */
  readonly reached: readonly string[];
  readonly served: readonly string[];
  readonly passed: readonly string[];
  readonly endpoints: number;
  /** Endpoints that serve somebody, of which none was ever answered 200. */
  readonly neverServed: readonly string[];
  readonly found: { readonly play: Play; readonly violation: Violation } | null;
};

export type RunOptions = {
  readonly seed: number;
  readonly cases: number;
  readonly lanes?: number;
  readonly weaken?: Weakening;
  readonly onProgress?: (cases: number) => void;
};

const PER_SESSION = 12;

/** Plays sessions until there were so many requests, or something happened that must not. */
export async function run({ seed, cases, lanes = 8, weaken, onProgress }: RunOptions): Promise<Figures> {
  await using ground = await field();
  const startedAt = Date.now();
  const statuses: Record<string, number> = {};
  const [reached, served, passed] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let [done, forwarded, asked, sessions] = [0, 0, 0, 0];
  let found: Figures['found'] = null;
  const onSeen = (seen: Seen): void => {
    done++;
    statuses[seen.status] = (statuses[seen.status] ?? 0) + 1;
    asked += seen.asked;
    if (seen.asked > 0) forwarded++;
    reached.add(seen.operation);
    if (seen.status === 200) served.add(seen.operation);
    if (seen.asked > 0) passed.add(seen.operation);
    if (done % 10_000 === 0) onProgress?.(done);
  };
  const walk = async (lane: Lane): Promise<void> => {
    for (;;) {
      if (done >= cases || found !== null) return;
      const one = playOf(seed, sessions++);
      const violation = await play(ground, lane, one, onSeen, weaken);
      if (violation !== null && found === null) found = { play: one, violation };
    }
  };
  const all = Array.from({ length: lanes }, () => laneTo(ground.gateway.port));
  await Promise.all(all.map(walk));
  const ms = Date.now() - startedAt;
  if (found !== null) found = await smallest(ground, all[0] as Lane, found, weaken);
  for (const lane of all) lane.close();
  const ids = CATALOGUE.map(({ id }) => id);
  const known = (set: ReadonlySet<string>): string[] => ids.filter((id) => set.has(id));
  const serving = CATALOGUE.filter(
    ({ kind }) => kind !== 'refused' && kind !== 'static' && kind !== 'public',
  ).map(({ id }) => id);
  return {
    seed,
    cases: done,
    ms,
    forwarded,
    asked,
    statuses,
    reached: known(reached),
    served: known(served),
    passed: known(passed),
    endpoints: ids.length,
    neverServed: serving.filter((id) => !served.has(id)),
    found,
  };
}

/** The session of this number: of the run's seed and the number alone, so that one can be played again. */
export function playOf(seed: number, number: number): Play {
  const own = (Math.imul(seed, 0x9e3779b1) + number) >>> 0;
  const random = randomOf(own);
  const scope = scopeOf(random);
  const rooms = roomsOf(scope);
  return {
    seed: own,
    scope,
    rooms,
    samples: Array.from({ length: PER_SESSION }, () => sampleOf(random, rooms)),
  };
}

async function smallest(
  ground: Field,
  lane: Lane,
  { play: one, violation }: NonNullable<Figures['found']>,
  weaken?: Weakening,
) {
  const [least, last] = await shrunk(one, violation, (candidate) =>
    play(ground, lane, candidate, () => undefined, weaken),
  );
  return { play: least, violation: last };
}

/** What was found, for people: with all that is needed to see it again. */
export function report({ seed, found }: Figures): string {
  if (found === null) return `Nothing was found with seed ${seed}.`;
  const { play: one, violation } = found;
  return [
    `With FUZZ_SEED=${seed}: ${violation.what}`,
    `scope ${JSON.stringify(one.scope)}`,
    `rooms ${JSON.stringify(one.rooms)}`,
    ...one.samples.map((sample) => `holder: ${JSON.stringify(sample)}`),
    ...violation.asked.map(({ method, url, body }) => `homeserver saw: ${method} ${url} ${body}`),
    `holder was told: ${violation.told}`,
  ].join('\n');
}
