/** One thing that is about to be done, or is there and stays. */
export type PlanLine = { readonly verb: string; readonly what: string };

/** What is about to be done, in its order; `kept` is there already and stays as it is. */
export type Plan = {
  readonly title: string;
  readonly steps: readonly PlanLine[];
  readonly kept: readonly string[];
};

/** The plan as lines for a terminal. */
export function planLines({ title, steps, kept }: Plan): readonly string[] {
  const width = Math.max(0, ...steps.map(({ verb }) => verb.length)) + 2;
  return [
    title,
    ...steps.map(({ verb, what }) => `  ${verb.padEnd(width)}${what}`),
    ...(steps.length === 0 ? ['  Nothing: everything is there.'] : []),
    ...(kept.length === 0 ? [] : ['There already, and kept:', ...kept.map((what) => `  ${what}`)]),
  ];
}
