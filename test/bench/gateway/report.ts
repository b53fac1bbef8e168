import { cpus } from 'node:os';
import type { Options } from './options.ts';

/** What a figure must reach; null: nothing, but later changes are compared with it all the same. */
type Goal = { readonly atLeast: number | null } | { readonly atMost: number | null };

/** One figure. Its goal also says which direction is better. */
export type Figure = { readonly value: number; readonly unit: string } & Goal;

/** Collects figures, and prints them for people as they come. */
export type Report = {
  /** A line that is no figure. */
  readonly say: (line: string) => void;
  /** A figure by its name in `figures.json`, with its description for people. */
  figure(name: string, description: string, value: number, goal: Goal, unit?: string): void;
  readonly figures: Readonly<Record<string, Figure>>;
};

export function createReport({ json }: Pick<Options, 'json'>): Report {
  const figures: Record<string, Figure> = {};
  const say = (line: string): void => (json ? console.error(line) : console.log(line));
  return {
    say,
    figures,
    figure(name, description, value, goal, unit = '') {
      figures[name] = { value: Number(value.toFixed(3)), unit, ...goal };
      say(`  ${description.padEnd(62)} ${value.toFixed(2)}${unit}${verdict(value, goal, unit)}`);
    },
  };
}

function verdict(value: number, goal: Goal, unit: string): string {
  const [limit, words] = 'atLeast' in goal ? [goal.atLeast, 'at least'] : [goal.atMost, 'at most'];
  if (limit === null) return '';
  const met = 'atLeast' in goal ? value >= limit : value <= limit;
  return `  (goal: ${words} ${String(limit)}${unit}) ${met ? 'met' : 'NOT MET'}`;
}

/** The line of JSON. */
export function reportLine(figures: Report['figures'], flags: readonly string[]): string {
  return JSON.stringify({
    node: process.version,
    processor: `${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}`,
    flags: flags.join(' '),
    figures,
  });
}
