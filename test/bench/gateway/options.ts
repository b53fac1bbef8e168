import { parseArgs } from 'node:util';
import { serviceFlags } from './service-flags.ts';

/** The parts that are measured, in this order. */
export const PARTS = [
  'throughput',
  'latency',
  'mixed',
  'sync-wait',
  'sync-time',
  'revoke',
  'polls',
  'hostile',
  'memory',
  'soak',
] as const;
export type Part = (typeof PARTS)[number];

/** Takes long and is measured only when it is named. */
const ONLY_WHEN_NAMED: ReadonlySet<Part> = new Set<Part>(['soak']);

/** How to measure. */
export type Options = {
  readonly parts: ReadonlySet<Part>;
  readonly rounds: number;
  /** Of one run of load. */
  readonly seconds: number;
  /** Before anything is measured on a server: V8 still compiles after 2 s. */
  readonly warmUpSeconds: number;
  /** V8's flags for the gateway. */
  readonly flags: readonly string[];
  /** One line of JSON on stdout, everything else on stderr. */
  readonly json: boolean;
  readonly compare: boolean;
  readonly save: boolean;
};

/** Reads the command line. @throws Error that says what is wrong with it */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      flags: { type: 'string' },
      json: { type: 'boolean', default: false },
      compare: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
  });
  const named = (values.only ?? []).flatMap((list) => list.split(',')).map(partNamed);
  const number = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Number(text);
  return {
    parts: new Set(named.length > 0 ? named : PARTS.filter((part) => !ONLY_WHEN_NAMED.has(part))),
    rounds: number(values.rounds, values.quick ? 3 : 7),
    seconds: number(values.seconds, values.quick ? 2 : 4),
    warmUpSeconds: number(values['warm-up'], 10),
    flags: values.flags === undefined ? serviceFlags() : values.flags.split(' ').filter(Boolean),
    json: values.json,
    compare: values.compare,
    save: values.save,
  };
}

function partNamed(name: string): Part {
  const part = PARTS.find((one) => one === name);
  if (part === undefined) throw new Error(`--only ${name}: there are ${PARTS.join(', ')}.`);
  return part;
}
