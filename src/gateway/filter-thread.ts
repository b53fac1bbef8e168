// The thread in which large answers are filtered, by the same functions as small ones in place. It stands here
// since it uses the endpoints, which know nothing of it.
import { parentPort, workerData } from 'node:worker_threads';
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
import { filterEstimate } from './filter-worker/heap-estimate.ts';
import type { FromWorker, ToWorker, WorkerData } from './filter-worker/protocol.ts';
import { referencesInEvents, referencesInSync } from './media/references-in-answer.ts';
import type { ForwardEndpoint } from './request/endpoint.ts';

type Job = {
  readonly chunks: Uint8Array[];
  filterJob: LocalFilterJob | null;
  /** What it takes as objects, in bytes; 0: it is not read yet. */
  parsedBytes: number;
  referencesIn: (body: unknown) => readonly MediaReference[];
};

const NO_REFERENCES = (): readonly MediaReference[] => [];
const ENDPOINTS = new Map(
  CATALOGUE.filter((one): one is ForwardEndpoint => one.kind === 'forward').map((one) => [one.id, one]),
);
const jobs = new Map<number, Job>();
const { parsedBytes: MOST_PARSED } = workerData as WorkerData;
/** Answers that are read when others have gone, in their order. */
const waiting: (() => void)[] = [];

parentPort?.on('message', (message: ToWorker) => {
  try {
    take(message);
  } catch {
    // What was wrong could quote the answer, and is the same for every grant.
    tell({ id: message.id, step: 'fault' });
    forget(message.id);
  }
});

/** While answers wait for room, nothing is heard of them otherwise. */
setInterval(() => {
  if (waiting.length > 0) tell({ id: 0, step: 'alive' });
}, 2_000).unref();

function forget(id: number): void {
  if (jobs.delete(id)) waiting.shift()?.();
}

/** Reads an answer when there is room for it as objects. @throws TypeError where there never is */
function whenItFits(message: ToWorker & { readonly step: 'read' }, job: Job): void {
  const bytes = Buffer.concat(job.chunks.splice(0));
  const parsedBytes = filterEstimate(bytes);
  if (parsedBytes > MOST_PARSED) throw new TypeError('too large as objects');
  const attempt = (): void => {
    if (!jobs.has(message.id)) return waiting.shift()?.();
    const used = [...jobs.values()].reduce((sum, one) => sum + one.parsedBytes, 0);
    if (used + parsedBytes > MOST_PARSED) return void waiting.unshift(attempt);
    job.parsedBytes = parsedBytes;
    try {
      job.filterJob = read(message.work, parseUpstreamJson(bytes));
      job.referencesIn = referencesInAnswerOf(message.work);
      tell({ id: message.id, step: 'read', roomIds: job.filterJob.roomIds() });
    } catch {
      tell({ id: message.id, step: 'fault' });
      return forget(message.id);
    }
    return waiting.shift()?.();
  };
  if (waiting.length > 0) waiting.push(attempt);
  else attempt();
}

function take(message: ToWorker): void {
  const { id } = message;
  if (message.step === 'end') process.exit();
  if (message.step === 'drop') return forget(id);
  const job = jobs.get(id) ?? { chunks: [], filterJob: null, parsedBytes: 0, referencesIn: NO_REFERENCES };
  switch (message.step) {
    case 'chunk':
      job.chunks.push(message.bytes);
      jobs.set(id, job);
      return;
    case 'read':
      jobs.set(id, job);
      return whenItFits(message, job);
    case 'filter':
      return tell({ id, step: 'filter', shown: startedJob(job).filter(message.rooms, message.whole) });
    case 'response': {
      const { status, body } = startedJob(job).response(message.creates);
      const mediaReferences = job.referencesIn(body);
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      tell({ id, step: 'response', status, bytes, mediaReferences }, [bytes.buffer]);
      return forget(id);
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
