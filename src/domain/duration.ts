import { MintwardenError } from './errors.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const NAMES = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' } as const;
type Unit = keyof typeof UNITS;

const ALIASES: Record<string, Unit> = {
  s: 's',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  m: 'm',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  h: 'h',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  d: 'd',
  day: 'd',
  days: 'd',
  w: 'w',
  week: 'w',
  weeks: 'w',
};

/**
 * Milliseconds from `90s`, `15m`, `1h30m`, `2d`, `1w` or the spelled-out units.
 * @throws MintwardenError `usage` for zero, a missing unit, a sign or anything else.
 */
export function parseDuration(text: string): number {
  const compact = text.toLowerCase().replace(/\s+/g, '');
  if (/^[-+]/.test(compact))
    throw new MintwardenError('usage', `A duration cannot be negative: ${text}.`, 'Write for example 1h.');
  if (/^\d+$/.test(compact)) {
    throw new MintwardenError(
      'usage',
      `The duration ${text} has no unit.`,
      `Write ${compact}s, ${compact}m, ${compact}h or ${compact}d.`,
    );
  }
  const parts = [...compact.matchAll(/(\d{1,9})([a-z]+)/g)];
  const whole = parts.map((part) => part[0]).join('');
  const units = parts.map((part) => ALIASES[part[2] ?? '']);
  const known = units.every((unit) => unit !== undefined);
  const once = new Set(units).size === units.length;
  if (parts.length === 0 || whole !== compact || !known || !once) {
    throw new MintwardenError(
      'usage',
      `"${text}" is not a duration.`,
      'Write for example 90s, 15m, 1h30m or 2d.',
    );
  }
  const total = parts.reduce((sum, part, index) => sum + Number(part[1]) * UNITS[units[index] as Unit], 0);
  if (total === 0)
    throw new MintwardenError('usage', 'A duration of zero does nothing.', 'Write for example 1h.');
  if (!Number.isSafeInteger(total))
    throw new MintwardenError('usage', `The duration ${text} is too long.`, 'Write for example 7d.');
  return total;
}

/** The shortest exact spelling that `parseDuration` reads back: `1h30m`. Rounds down to whole seconds. */
export function formatDuration(ms: number): string {
  let rest = Math.floor(ms / 1_000) * 1_000;
  if (rest <= 0) return '0s';
  let out = '';
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * UNITS[unit];
  }
  return out;
}

/** For people, at most two units, rounded to the nearest of the smaller: `1 hour 30 minutes`. */
export function speakDuration(ms: number): string {
  const order = ['w', 'd', 'h', 'm', 's'] as const;
  const at = order.findIndex((unit) => ms >= UNITS[unit]);
  if (at === -1) return 'less than a second';
  const big = order[at] as Unit;
  const small = order[at + 1];
  const step = UNITS[small ?? big];
  const rounded = Math.round(ms / step) * step;
  if (at > 0 && rounded >= UNITS[order[at - 1] as Unit]) return speakDuration(rounded);
  const bigs = Math.floor(rounded / UNITS[big]);
  const smalls = small === undefined ? 0 : Math.round((rounded - bigs * UNITS[big]) / UNITS[small]);
  const word = (count: number, unit: Unit) => `${count} ${NAMES[unit]}${count === 1 ? '' : 's'}`;
  return small !== undefined && smalls > 0 ? `${word(bigs, big)} ${word(smalls, small)}` : word(bigs, big);
}
