// The thread in which large answers are filtered, by the same functions as small ones in place. It stands here
// since it uses the endpoints, which know nothing of it.
import { parentPort } from 'node:worker_threads';
import type { RoomId } from '../domain/ids.ts';
import type { MediaReference } from '../domain/media-reference.ts';
import { CATALOGUE } from './endpoints/catalogue.ts';
import {
  type LocalFilterJob,
  endpointFilterJob,
  searchFilterJob,
  syncFilterJob,
  type FilterTask,
} from './filter-worker/filter-job.ts';
import { parseUpstreamJson } from './filter-worker/parse-upstream-json.ts';
import type { FromWorker, ToWorker } from './filter-worker/protocol.ts';
import { referencesInEvents, referencesInSync } from './media/references-in-answer.ts';
import type { ForwardEndpoint } from './request/endpoint.ts';

type Job = {
  readonly chunks: Uint8Array[];
  filterJob: LocalFilterJob | null;
  referencesIn: (body: unknown) => readonly MediaReference[];
};

const NO_REFERENCES = (): readonly MediaReference[] => [];
const ENDPOINTS = new Map(
  CATALOGUE.filter((one): one is ForwardEndpoint => one.kind === 'forward').map((one) => [one.id, one]),
);
const jobs = new Map<number, Job>();

parentPort?.on('message', (message: ToWorker) => {
  try {
    take(message);
  } catch {
    // What was wrong could quote the answer, and is the same for every grant.
    jobs.delete(message.id);
    tell({ id: message.id, step: 'fault' });
  }
});

function take(message: ToWorker): void {
  const { id } = message;
  if (message.step === 'end') process.exit();
  if (message.step === 'drop') return void jobs.delete(id);
  const job = jobs.get(id) ?? { chunks: [], filterJob: null, referencesIn: NO_REFERENCES };
  switch (message.step) {
    case 'chunk':
      job.chunks.push(message.bytes);
      jobs.set(id, job);
      return;
    case 'read':
      job.filterJob = read(message.work, parseUpstreamJson(Buffer.concat(job.chunks.splice(0))));
      job.referencesIn = referencesInAnswerOf(message.work);
      jobs.set(id, job);
      return tell({ id, step: 'read', roomIds: job.filterJob.roomIds() });
    case 'filter':
      return tell({ id, step: 'filter', shown: startedJob(job).filter(message.rooms, message.whole) });
    case 'response': {
      const { status, body } = startedJob(job).response(message.creates);
      jobs.delete(id);
      const mediaReferences = job.referencesIn(body);
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      return tell({ id, step: 'response', status, bytes, mediaReferences }, [bytes.buffer]);
    }
  }
}

/** The homeserver's answers are JSON objects or lists, or nothing that can be shown. */
function read(work: FilterTask, body: unknown): LocalFilterJob {
  if (body === undefined) throw new TypeError('not JSON');
  if (work.kind === 'sync') return syncFilterJob(body, work.view);
  if (work.kind === 'search') return searchFilterJob(body, work.view);
  const { call, endpointId } = work;
  const endpoint = ENDPOINTS.get(endpointId);
  if (endpoint === undefined) throw new TypeError('no such endpoint');
  return endpointFilterJob(
    body,
    (given, rooms) => endpoint.filter({ ...call, access: { ...call.access, rooms } })(given, rooms),
    endpoint.roomsIn ?? null,
  );
}

function referencesInAnswerOf(work: FilterTask): Job['referencesIn'] {
  if (work.kind === 'sync') return referencesInSync;
  if (work.kind === 'search') return NO_REFERENCES;
  const { call, endpointId } = work;
  const eventsIn = ENDPOINTS.get(endpointId)?.eventsIn;
  if (eventsIn === undefined) return NO_REFERENCES;
  return (body) => referencesInEvents(eventsIn(body, call), (call.params['roomId'] ?? '') as RoomId);
}

function startedJob(job: Job): LocalFilterJob {
  if (job.filterJob === null) throw new TypeError('not read yet');
  return job.filterJob;
}

function tell(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
