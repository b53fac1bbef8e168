import { parseArgs } from 'node:util';
import { runOverSockets } from './over-sockets.ts';
import { run } from './run.ts';

/**
 * `node test/gateway/upstream/transport/fuzz/fuzz.ts --count 1000000 --seed 1`. Ends with 1 where something
 * was found.
 */
const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
const count = Number(values.count ?? 1_000_000);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const { findings, stricter, ...figures } = await run(seed, count, (done) => {
  if (done % 50_000 === 0) console.log(`${done.toLocaleString('en')} answers`);
});
console.log(figures);
console.log(
  'accepted by undici alone:',
  Object.values(stricter).reduce((sum, one) => sum + one, 0),
);
for (const [why, times] of Object.entries(stricter).toSorted((a, b) => b[1] - a[1]))
  console.log(`${times}\t${why}`);
// One in fifty by real sockets too, each with a request behind it.
const { findings: bySocket, ...sockets } = await runOverSockets(seed, Math.ceil(count / 50));
console.log('by sockets:', sockets);
const found = [...findings, ...bySocket];
for (const finding of found) console.log(finding);
console.log(found.length === 0 ? `Nothing was found with seed ${seed}.` : 'FOUND');
process.exitCode = found.length === 0 ? 0 : 1;
