import { fail, type Finding, ok, warn } from './finding.ts';
import type { CheckId } from './checks.ts';

/** From a version (inclusive) to a version (exclusive), what is wrong with it. */
type KnownProblem = {
  readonly from: string;
  readonly to: string;
  readonly severity: 'warn' | 'fail';
  readonly what: string;
};

/** Versions known not to do, newest knowledge last. Each says where it is known from. */
const KNOWN_PROBLEMS: Readonly<
  Record<'node-version' | 'sqlite-version' | 'synapse-version', readonly KnownProblem[]>
> = {
  'node-version': [
    { from: '0', to: '24.12.0', severity: 'fail', what: 'Mintwarden needs Node 24.12 or newer' },
  ],
  'sqlite-version': [
    // sqlite.org/wal.html#walresetbug: two connections that write and empty the log at once. Ours is one
    // writer with readers.
    {
      from: '3.7.0',
      to: '3.51.3',
      severity: 'warn',
      what: 'in it a rare race can damage a database in WAL mode (the WAL-reset bug)',
    },
    { from: '3.52.0', to: '3.52.1', severity: 'warn', what: 'it was withdrawn by its makers' },
  ],
  'synapse-version': [
    // Authenticated media (spec 1.11) is what media is asked by.
    {
      from: '0',
      to: '1.111.0',
      severity: 'fail',
      what: 'Mintwarden asks for media in a way it does not know',
    },
    {
      from: '1.111.0',
      to: '1.138.4',
      severity: 'warn',
      what: 'any user can break its federation (CVE-2025-61672)',
    },
    {
      from: '1.139.0',
      to: '1.139.2',
      severity: 'warn',
      what: 'any user can break its federation (CVE-2025-61672), or it has the fault that its fix brought',
    },
    { from: '1.138.4', to: '1.157.2', severity: 'warn', what: 'it has security holes that 1.157.2 fixes' },
  ],
};

const NAMES = { 'node-version': 'Node', 'sqlite-version': 'SQLite', 'synapse-version': 'Synapse' } as const;

/** What is known of a version of Node, SQLite or Synapse. */
export function evaluateVersion(id: keyof typeof KNOWN_PROBLEMS & CheckId, version: string): Finding {
  const name = `${NAMES[id]} ${version}`;
  const known = KNOWN_PROBLEMS[id].find(
    ({ from, to }) => compare(version, from) >= 0 && compare(version, to) < 0,
  );
  if (known === undefined) return ok(id, `This is ${name}.`);
  return (known.severity === 'fail' ? fail : warn)(id, `This is ${name}: ${known.what}.`);
}

/** This process's own. */
export function checkOwnVersions(): readonly Finding[] {
  const { node, sqlite } = process.versions;
  return [
    evaluateVersion('node-version', node),
    ...(sqlite === undefined ? [] : [evaluateVersion('sqlite-version', sqlite)]),
  ];
}

/** Numbers alone; what is before a release counts as the release. */
function compare(a: string, b: string): number {
  const numbers = (version: string): number[] => (/^[\d.]+/.exec(version)?.[0] ?? '').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
