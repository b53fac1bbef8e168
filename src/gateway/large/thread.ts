// The thread in which large answers are read, filtered and written, by the same functions as small ones in
// place.
import { parentPort } from 'node:worker_threads';
import { CATALOGUE } from '../catalogue/index.ts';
import type { ForwardLine } from '../catalogue/line.ts';
import { type Shower, showingsIn } from '../media/answer-showings.ts';
import type { FromThread, ToThread } from './messages.ts';
import { parseAnswer } from './parse-answer.ts';
import { type ReadingHere, readingOfLine, readingOfSearch, readingOfSync, type Work } from './reading.ts';

type Job = { readonly chunks: Uint8Array[]; reading: ReadingHere | null; shower: Shower };

const LINES = new Map(
  CATALOGUE.filter((line): line is ForwardLine => line.kind === 'forward').map((line) => [line.id, line]),
);
const jobs = new Map<number, Job>();

parentPort?.on('message', (message: ToThread) => {
  try {
    take(message);
  } catch {
    // What was wrong could quote the answer, and is the same to whoever asked.
    jobs.delete(message.id);
    tell({ id: message.id, step: 'fault' });
  }
});

function take(message: ToThread): void {
  const { id } = message;
  if (message.step === 'end') process.exit();
  if (message.step === 'drop') return void jobs.delete(id);
  const job = jobs.get(id) ?? { chunks: [], reading: null, shower: 'sync' };
  switch (message.step) {
    case 'chunk':
      job.chunks.push(message.bytes);
      jobs.set(id, job);
      return;
    case 'read':
      job.reading = read(message.work, parseAnswer(Buffer.concat(job.chunks.splice(0))));
      if (message.work.kind === 'line') job.shower = { lineId: message.work.lineId, ...message.work.call };
      jobs.set(id, job);
      return tell({ id, step: 'read', spokenOf: job.reading.spokenOf() });
    case 'show':
      return tell({ id, step: 'show', shown: readOf(job).show(message.rooms, message.whole) });
    case 'answer': {
      const { status, body } = readOf(job).answer(message.creates);
      jobs.delete(id);
      const showings = showingsIn(job.shower, body);
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      return tell({ id, step: 'answer', status, bytes, showings }, [bytes.buffer]);
    }
  }
}

/** The homeserver's answers are JSON objects or lists, or nothing that can be shown. */
function read(work: Work, body: unknown): ReadingHere {
  if (body === undefined) throw new TypeError('not JSON');
  if (work.kind === 'sync') return readingOfSync(body, work.sight);
  if (work.kind === 'search') return readingOfSearch(body, work.sight);
  const line = LINES.get(work.lineId);
  if (line === undefined) throw new TypeError('no such line');
  return readingOfLine(
    body,
    (given, rooms) => line.filter({ ...work.call, access: { ...work.call.access, rooms } })(given, rooms),
    line.speaksOf ?? null,
  );
}

function readOf(job: Job): ReadingHere {
  if (job.reading === null) throw new TypeError('not read yet');
  return job.reading;
}

function tell(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
