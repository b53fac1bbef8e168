import { type Figures, report, run } from './run.ts';

/**
 * `npm run fuzz`: a million requests, or as many as `FUZZ_CASES` says, with `FUZZ_SEED` or one by the clock.
 * Ends with 1 where something was found.
 */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const cases = Number(process.env['FUZZ_CASES'] ?? 1_000_000);
const startedAt = Date.now();
const onProgress = (done: number): void => {
  const rate = Math.round((done / (Date.now() - startedAt)) * 1_000);
  if (done % 50_000 === 0) console.log(`${done.toLocaleString('en')} requests, ${rate} a second`);
};
const figures = await run({ seed, cases, onProgress });
console.log(inWords(figures));
console.log(report(figures));
process.exitCode = figures.found === null ? 0 : 1;

function inWords({
  cases,
  ms,
  forwarded,
  asked,
  statuses,
  reached,
  served,
  passed,
  endpoints,
  neverServed,
}: Figures): string {
  const share = ((forwarded / cases) * 100).toFixed(1);
  return [
    `${cases.toLocaleString('en')} requests in ${Math.round(ms / 1_000)} s: ${Math.round((cases / ms) * 1_000)} a second`,
    `${share} % had the homeserver asked (${asked.toLocaleString('en')} times), the others did not`,
    `answers: ${Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count.toLocaleString('en')}`)
      .join(', ')}`,
    `of ${endpoints} endpoints ${reached.length} were reached, ${served.length} answered 200, ${passed.length} had the homeserver asked`,
    `never answered 200: ${neverServed.join(', ') || 'none'}`,
  ].join('\n');
}
