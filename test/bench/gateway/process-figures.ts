import { readFile } from 'node:fs/promises';

/** Linux gives processor time in hundredths of a second to every program (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** The processor time a process has used, all its threads, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  // After the name, which may hold anything: state, then eleven numbers, then user and system time (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The memory a process holds at this moment. */
export async function residentMb(pid: number): Promise<number> {
  return statusMb(pid, 'VmRSS');
}

/** The most memory it has ever held. */
export async function peakMb(pid: number): Promise<number> {
  return statusMb(pid, 'VmHWM');
}

async function statusMb(pid: number, what: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(new RegExp(String.raw`${what}:\s+(\d+)`).exec(status)?.[1] ?? 0) / 1024);
}
