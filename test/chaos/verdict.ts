import type { ChaosFigures } from './run.ts';

/** How long after the homeserver's return all must be as usual. */
const BACK_WITHIN_MS = 10_000;
/** What memory may have grown by, from the second fifth of the run to the last: less is noise. */
const GROWTH_MB = 30;

/** The middle of some numbers; 0 of none. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** What of a run is not as promised, as sentences. Empty: all is. */
export function complaints(figures: ChaosFigures): string[] {
  const found: string[] = [];
  const none = (what: string, list: readonly unknown[] | number): void => {
    const count = typeof list === 'number' ? list : list.length;
    if (count > 0)
      found.push(`${what}: ${String(count)} ${typeof list === 'number' ? '' : JSON.stringify(list)}`);
  };
  none('commands without an answer', figures.unanswered);
  none('commands answered twice', figures.answeredTwice);
  none('messages of the bot that stand twice', figures.markersTwice);
  none('steps of a ratchet used twice', figures.ratchetsTwice);
  none('tokens delivered twice', figures.tokensTwice);
  none('tokens never delivered', figures.tokensMissing);
  none('tokens good after their end', figures.revokedAlive);
  none('tokens left at the homeserver', figures.upstreamLeft);
  none('holders’ messages lost', figures.sentLost);
  none('holders’ messages that stand twice', figures.sentTwice);
  none('answers that said a good token was dead', figures.wrongAnswers);
  none('restarts', figures.restarts);
  if (figures.audit !== 0) found.push('The audit does not hold.');
  for (const ms of [...figures.gatewayBackMs, ...figures.botBackMs, ...figures.answerMs])
    if (ms > BACK_WITHIN_MS) found.push(`It took ${String(ms)} ms after the homeserver’s return.`);
  const fifth = Math.floor(figures.memory.length / 5);
  const growth = median(figures.memory.slice(-fifth)) - median(figures.memory.slice(fifth, 2 * fifth));
  if (fifth > 3 && growth > GROWTH_MB) found.push(`Memory grew by ${String(growth)} MB.`);
  return found;
}

/** The figures in a few lines. */
export function summary(figures: ChaosFigures): string {
  const { memory, gatewayBackMs, botBackMs, answerMs } = figures;
  const worst = (numbers: readonly number[]): string =>
    `median ${String(median(numbers))} ms, worst ${String(Math.max(0, ...numbers))} ms of ${String(numbers.length)}`;
  const count = Object.entries(figures.struck).map(([name, times]) => `${name} ${String(times)}×`);
  const statuses = Object.entries(figures.answers).map(([status, times]) => `${status}: ${String(times)}`);
  return [
    `The homeserver was ${count.join(', ')}.`,
    `${String(figures.commands)} commands, ${String(figures.minted)} grants, ${String(figures.messages)} messages of the bot, ${String(figures.sent)} of a holder.`,
    `Holders’ answers by status: ${statuses.join(', ')} (0: none).`,
    `Back after an outage: gateway ${worst(gatewayBackMs)}; bot ${worst(botBackMs)}; the first command’s answer ${worst(answerMs)}.`,
    `Memory: ${String(memory[0] ?? 0)} MB at first, median ${String(median(memory))} MB, last ${String(memory.at(-1) ?? 0)} MB, most ${String(Math.max(0, ...memory))} MB.`,
  ].join('\n');
}
