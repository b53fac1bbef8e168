// The thread in which large answers are read, filtered and written, by the same functions as small ones in
// place.
import { parentPort } from 'node:worker_threads';
import { CATALOGUE } from '../endpoints/catalogue.ts';
import type { ForwardEndpoint } from '../endpoints/endpoint.ts';
import { type Shower, showingsIn } from '../media/references-in-answer.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { parseUpstreamJson } from './parse-upstream-json.ts';
import {
  type LocalFilterJob,
  endpointFilterJob,
  searchFilterJob,
  syncFilterJob,
  type FilterTask,
} from './filter-job.ts';

type Job = { readonly chunks: Uint8Array[]; filterJob: LocalFilterJob | null; shower: Shower };

const LINES = new Map(
  CATALOGUE.filter((line): line is ForwardEndpoint => line.kind === 'forward').map((line) => [line.id, line]),
);
const jobs = new Map<number, Job>();

parentPort?.on('message', (message: ToWorker) => {
  try {
    take(message);
  } catch {
    // What was wrong could quote the answer, and is the same to whoever asked.
    jobs.delete(message.id);
    tell({ id: message.id, step: 'fault' });
  }
});

function take(message: ToWorker): void {
  const { id } = message;
  if (message.step === 'end') process.exit();
  if (message.step === 'drop') return void jobs.delete(id);
  const job = jobs.get(id) ?? { chunks: [], filterJob: null, shower: 'sync' };
  switch (message.step) {
    case 'chunk':
      job.chunks.push(message.bytes);
      jobs.set(id, job);
      return;
    case 'read':
      job.filterJob = read(message.work, parseUpstreamJson(Buffer.concat(job.chunks.splice(0))));
      if (message.work.kind === 'line') job.shower = { lineId: message.work.lineId, ...message.work.call };
      jobs.set(id, job);
      return tell({ id, step: 'read', roomIds: job.filterJob.roomIds() });
    case 'filter':
      return tell({ id, step: 'filter', shown: startedJob(job).filter(message.rooms, message.whole) });
    case 'response': {
      const { status, body } = startedJob(job).response(message.creates);
      jobs.delete(id);
      const showings = showingsIn(job.shower, body);
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      return tell({ id, step: 'response', status, bytes, showings }, [bytes.buffer]);
    }
  }
}

/** The homeserver's answers are JSON objects or lists, or nothing that can be shown. */
function read(work: FilterTask, body: unknown): LocalFilterJob {
  if (body === undefined) throw new TypeError('not JSON');
  if (work.kind === 'sync') return syncFilterJob(body, work.view);
  if (work.kind === 'search') return searchFilterJob(body, work.view);
  const line = LINES.get(work.lineId);
  if (line === undefined) throw new TypeError('no such line');
  return endpointFilterJob(
    body,
    (given, rooms) => line.filter({ ...work.call, access: { ...work.call.access, rooms } })(given, rooms),
    line.roomsIn ?? null,
  );
}

function startedJob(job: Job): LocalFilterJob {
  if (job.filterJob === null) throw new TypeError('not read yet');
  return job.filterJob;
}

function tell(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
