// Filters many mutated answers of the homeserver over their bytes and over the parsed JSON, and compares:
//   node test/gateway/filters/fuzz.ts [--count 1000] [--seed 1] [--show]
import { parseArgs } from 'node:util';
import { caseOf } from './fuzz/cases.ts';
import { compare, type Verdict } from './fuzz/compare.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    show: { type: 'boolean' },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const tally: Record<Verdict, number> = { equal: 0, nothing: 0, stricter: 0, rejected: 0, laxer: 0 };
/** Why the byte filter rejects what the other one shows. */
const reasons = new Map<string, number>();
for (let number = 0; number < count; number++) {
  const one = caseOf(seed, number);
  const { verdict, tree, bytes, reason } = compare(one);
  tally[verdict]++;
  if (verdict === 'rejected') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  if (verdict === 'laxer' || (values.show === true && (verdict === 'stricter' || verdict === 'rejected')))
    console.error(
      JSON.stringify({
        seed,
        number,
        verdict,
        kind: one.kind,
        given: one.bytes.toString(),
        can: one.scope.can,
        tree,
        bytes,
      }),
    );
}
console.log(JSON.stringify({ count, seed, ...tally, reasons: Object.fromEntries(reasons) }));
process.exitCode = tally.laxer > 0 ? 1 : 0;
