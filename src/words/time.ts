const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A length of time, short: `45 s`, `15 min`, `1 h 30 min`, `2 d 3 h`. Rounded to the last unit shown. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  if (seconds < 120) return seconds === 60 ? '1 min' : `${seconds} s`;
  if (ms < DAY - MINUTE / 2) return twoUnits(Math.round(ms / MINUTE), 60, 'h', 'min');
  return twoUnits(Math.round(ms / HOUR), 24, 'd', 'h');
}

function twoUnits(count: number, perBig: number, big: string, small: string): string {
  const bigs = Math.floor(count / perBig);
  const smalls = count % perBig;
  if (bigs === 0) return `${smalls} ${small}`;
  return smalls === 0 ? `${bigs} ${big}` : `${bigs} ${big} ${smalls} ${small}`;
}

/** `in 1 h`, `5 min ago`, `now`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < SECOND) return 'now';
  return distance > 0 ? `in ${shortDuration(distance)}` : `${shortDuration(-distance)} ago`;
}

/** `14:05 UTC`; with the date when that is not today, and the year when it is not this year's. */
export function utc(at: number, now: number): string {
  const date = new Date(at);
  const today = new Date(now);
  const time = `${date.toISOString().slice(11, 16)} UTC`;
  if (date.toISOString().slice(0, 10) === today.toISOString().slice(0, 10)) return time;
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`;
  return date.getUTCFullYear() === today.getUTCFullYear()
    ? `${day}, ${time}`
    : `${day} ${date.getUTCFullYear()}, ${time}`;
}

/** `14:05 UTC (in 1 h)`. */
export function moment(at: number, now: number): string {
  return `${utc(at, now)} (${relative(at, now)})`;
}
