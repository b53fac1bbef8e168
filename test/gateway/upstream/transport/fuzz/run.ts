import { isDeepStrictEqual } from 'node:util';
import { randomOf } from '../../../fuzz/random.ts';
import { type Read, readIn } from '../read-in.ts';
import { type Finding, partsOf } from './finding.ts';
import { makeAnswer } from './make-answer.ts';
import { type Judged, judgeByUndici } from './undici-oracle.ts';

export type Figures = {
  readonly seed: number;
  readonly cases: number;
  readonly ms: number;
  readonly bothAccepted: number;
  readonly bothReused: number;
  readonly bothRefused: number;
  /** Accepted by undici alone, by the lean client's reason. */
  readonly stricter: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
};

const MOST_FINDINGS = 20;
const AT_A_TIME = 32;

/** Reads so many mutated answers with both clients. */
export async function run(
  seed: number,
  cases: number,
  onProgress: (done: number) => void = () => {},
): Promise<Figures> {
  const startedAt = Date.now();
  const findings: Finding[] = [];
  const stricter: Record<string, number> = {};
  let [done, bothAccepted, bothReused, bothRefused] = [0, 0, 0, 0];
  const one = async (index: number): Promise<void> => {
    // Each case has a seed of its own, so that it can be had again alone.
    const random = randomOf(seed * 1_000_003 + index);
    const { bytes, splits } = makeAnswer(random);
    const undici = await judgeByUndici(bytes);
    const lean = readIn(partsOf(bytes, splits));
    const whole = readIn([bytes]);
    for (const rule of broken(lean, whole, undici))
      findings.push({
        rule,
        seed,
        case: index,
        bytes: JSON.stringify(bytes.toString('latin1')),
        splits,
        lean,
        undici,
      });
    if (typeof lean.outcome === 'string') {
      if (undici.accepted) stricter[lean.why] = (stricter[lean.why] ?? 0) + 1;
      else bothRefused++;
    } else {
      bothAccepted++;
      if (lean.reusable && !lean.surplus) bothReused++;
    }
    if (++done % 10_000 === 0) onProgress(done);
  };
  for (let index = 0; index < cases && findings.length < MOST_FINDINGS; index += AT_A_TIME)
    await Promise.all(
      Array.from({ length: Math.min(AT_A_TIME, cases - index) }, (_, offset) => one(index + offset)),
    );
  return {
    seed,
    cases: done,
    ms: Date.now() - startedAt,
    bothAccepted,
    bothReused,
    bothRefused,
    stricter,
    findings,
  };
}

/** The rules of the lean client that this breaks. */
function broken(lean: Read, whole: Read, undici: Judged): string[] {
  const rules: string[] = [];
  // What is too much is refused with the answer it comes with, or ends the connection where it comes later.
  const sameTwice =
    isDeepStrictEqual(whole.outcome, lean.outcome) || (lean.surplus && whole.outcome === 'refused');
  if (!sameTwice) rules.push('it reads the same however it is split');
  if (typeof lean.outcome === 'string') return rules;
  if (!undici.accepted) return [...rules, 'it accepts nothing that undici refuses'];
  if (lean.outcome.status !== undici.head.status) rules.push('it reads the same status');
  if (lean.outcome.body !== undici.body) rules.push('it reads the same body');
  if (!isDeepStrictEqual(looked(lean), undici.head)) rules.push('it reads the same headers');
  if (lean.reusable && !lean.surplus && !undici.reusable)
    rules.push('it keeps no connection that undici gives up');
  return rules;
}

/** What a listener is told of a head. */
function looked({ head }: Read): unknown {
  if (head === null) return null;
  const { status, contentType, contentEncoding, contentLength, retryAfter } = head;
  return { status, contentType, contentEncoding, contentLength, retryAfter };
}
