import { readFileSync, writeFileSync } from 'node:fs';
import type { Figure, Report } from './report.ts';
import { reportLine } from './report.ts';

const FILE = new URL('figures.json', import.meta.url);
/** No change may cost more. */
const TOLERATED = 0.05;

/** Keeps the figures, those of parts that were not measured as they were. */
export function saveFigures(figures: Report['figures'], flags: readonly string[]): void {
  const line = reportLine({ ...savedFigures(), ...figures }, flags);
  writeFileSync(FILE, `${JSON.stringify(JSON.parse(line), null, 2)}\n`);
}

/** Prints each figure beside the saved one. @returns the names of those that lost more than 5 % */
export function compareFigures({ say, figures }: Report): string[] {
  const saved = savedFigures();
  const lost: string[] = [];
  say('\nBeside figures.json:');
  for (const [name, figure] of Object.entries(figures)) {
    const before = saved[name];
    if (before === undefined) continue;
    const change = gain(before, figure);
    if (change < -TOLERATED) lost.push(name);
    const verdict = change < -TOLERATED ? '  LOST MORE THAN 5 %' : '';
    const percent = `${change >= 0 ? '+' : ''}${(100 * change).toFixed(1)} %`;
    say(
      `  ${name.padEnd(40)} ${String(before.value)} → ${String(figure.value)}${figure.unit}  ${percent}${verdict}`,
    );
  }
  return lost;
}

/** By how much a figure is better than it was; negative: worse. */
export function gain(before: Figure, after: Figure): number {
  if (before.value === after.value) return 0;
  return 'atLeast' in before ? after.value / before.value - 1 : before.value / after.value - 1;
}

function savedFigures(): Record<string, Figure> {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { figures: Record<string, Figure> }).figures;
}
