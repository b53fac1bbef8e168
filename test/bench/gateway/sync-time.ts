import { SYNC_PATH } from './answers.ts';
import { read } from './client.ts';
import { cpuSeconds } from './process-figures.ts';
import { mint, type Stage } from './stage.ts';

const SYNCS = 5;

/** How long a `/sync` of 15 MB takes to be filtered, beside `JSON.parse` and `JSON.stringify` of it. */
export async function measureSyncTime(stage: Stage): Promise<void> {
  const { report, options } = stage;
  const upstream = await stage.upstream();
  const gateway = await stage.gateway();
  const token = await mint(gateway, 'all');
  const parser = await stage.server('json-round-trip-process.ts', []);
  const once = async (url: string): Promise<number> => {
    const begun = performance.now();
    const { status } = await read(url + SYNC_PATH, token);
    if (status !== 200) throw new Error(`/sync was answered ${String(status)}.`);
    return performance.now() - begun;
  };
  for (let left = 3; left > 0; left--) await once(gateway.url);
  const through: number[] = [];
  const direct: number[] = [];
  const parsing: number[] = [];
  const cpuBefore = await cpuSeconds(gateway.pid);
  const syncs = SYNCS * options.rounds;
  for (let left = syncs; left > 0; left--) {
    through.push(await once(gateway.url));
    direct.push(await once(upstream.url));
    const { ms } = (await parser.ask({})) as { ms: number };
    parsing.push(ms);
  }
  const cpuMs = (1_000 * ((await cpuSeconds(gateway.pid)) - cpuBefore)) / syncs;
  // The quickest of each: what else the machine does can only add.
  const [gatewayMs, directMs, parseMs] = [through, direct, parsing].map((times) => Math.min(...times));
  const added = (gatewayMs ?? Number.NaN) - (directMs ?? Number.NaN);
  const reference = parseMs ?? Number.NaN;
  report.say(
    `\nA /sync of 15 MB, the quickest of ${String(syncs)}: ${added.toFixed(0)} ms added; parsed and written ${reference.toFixed(0)} ms:`,
  );
  report.figure('sync.time', 'time added, to JSON.parse and JSON.stringify of it', added / reference, {
    atMost: 1,
  });
  report.figure('sync.cpu', 'processor time, all told, to the same', cpuMs / reference, { atMost: null });
}
