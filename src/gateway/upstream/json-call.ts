import type { MintwardenError } from '../../domain/errors.ts';
import type { FilterInput } from '../filter-worker/filter-worker.ts';
import type { FilterJob } from '../filter-worker/filter-job.ts';
import { heapEstimate } from '../filter-worker/heap-estimate.ts';
import { parseUpstreamJson } from '../filter-worker/parse-upstream-json.ts';
import type { UpstreamRequest } from '../http/call.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { CoarseTimer, Expiring } from '../limits/coarse-timer.ts';
import type { MemoryReservation, Turn } from '../limits/memory-budget.ts';
import { invalidResponse, unreachable } from './errors.ts';
import { requestTarget } from './request-target.ts';
import type { ExchangeListener, ResponseHead, Sent, SentExchange, Transport } from './transport/transport.ts';

/** What the homeserver answered, read whole. `body` is undefined where it was not JSON, or `large` has it. */
export type UpstreamResponse = {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
  /** An answer of 200 that was too large to be read in place: it is being filtered. */
  readonly large?: FilterJob;
  /** What is shown of an answer of 200 that was filtered where it came in. */
  readonly filtered?: GatewayResponse;
};

/** On whose behalf, and for how long. */
export type CallOptions = {
  readonly timeoutMs: number;
  /** Where the answer's bytes are counted while they are in memory; null: not counted, since holders cannot cause many of them. */
  readonly memory: MemoryReservation | null;
  /** Where the homeserver's time is counted. */
  readonly times: { homeserverMs: number } | null;
  /** Where an answer goes that turns out to be large; null: it is read in place. */
  readonly large: ((size: number | undefined) => FilterInput) | null;
  /** Filters an answer of 200 that came in one piece; null: it is to be read as JSON. Its bytes do not stay. */
  filterInPlace?(bytes: Buffer): GatewayResponse | null;
  /** The largest answer, in bytes, where that is less than the gateway's own limit. */
  readonly maxBytes?: number;
  /** Called when the request is put on a connection: before that, the homeserver cannot have seen it. */
  readonly onStart?: () => void;
};

/** Gets the outcome of a call, once, never before `send` has returned. */
export interface CallListener {
  onResponse(response: UpstreamResponse): void;
  /** MintwardenError `homeserver-unreachable` | `homeserver-invalid-response`. */
  onFailure(error: MintwardenError): void;
}

/** How large answers may be, and from where on they count as large, in bytes. */
export type Sizes = { readonly answerBytes: number; readonly inPlaceBytes: number };

/** Synapse takes request lines of 16 KiB, and closes the connection at longer ones. */
const MAX_TARGET = 16_000;
const HEADERS = ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'Mintwarden'];

/** One JSON request: its answer is read in place, or in its turn where it is large. */
export class JsonCall implements ExchangeListener, Expiring, Sent {
  listIndex = -1;
  deadline: number;
  readonly #sizes: Sizes;
  readonly #timer: CoarseTimer;
  readonly #options: CallOptions;
  readonly #listener: CallListener;
  readonly #startedAt: number;
  #sent: SentExchange | null = null;
  #isDone = false;
  #status = 0;
  #retryAfter: string | null = null;
  #length: number | null = null;
  #size = 0;
  #counted = 0;
  #chunks: Buffer[] | null = null;
  #isParsed = false;
  #body: unknown = undefined;
  #filtered: GatewayResponse | null = null;
  /** Of a large answer. */
  #turn: Turn | null = null;
  #isWhole = false;
  #isWaiting = false;
  #input: FilterInput | null = null;

  constructor(sizes: Sizes, timer: CoarseTimer, options: CallOptions, listener: CallListener) {
    this.#sizes = sizes;
    this.#timer = timer;
    this.#options = options;
    this.#listener = listener;
    this.#startedAt = timer.now();
    this.deadline = this.#startedAt + options.timeoutMs;
  }

  start(transport: Transport, request: UpstreamRequest, token: string | null): void {
    const headers = token === null ? HEADERS.slice() : [...HEADERS, 'authorization', `Bearer ${token}`];
    if (request.body !== undefined) headers.push('content-type', 'application/json');
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    const target = requestTarget(request);
    this.#timer.add(this);
    if (target.length > MAX_TARGET) queueMicrotask(() => this.#addressTooLong());
    else this.#sent = transport.send({ method: request.method, target, headers, body }, this);
  }

  /** The caller does not want it any more: the listener is not called. */
  abort(): void {
    if (!this.#finish()) return;
    this.#discard();
    this.#sent?.abort();
  }

  onExpired(): void {
    // The homeserver was not slow: the turn did not come in time.
    if (this.#isWaiting) return this.#tooMuch();
    this.#end(unreachable('it did not answer in time'));
  }

  onStart(): void {
    this.#options.onStart?.();
  }

  onHead({ status, contentType, contentEncoding, contentLength, retryAfter }: ResponseHead): void {
    this.#status = status;
    this.#retryAfter = retryAfter;
    this.#length = contentLength;
    if (contentEncoding !== null && contentEncoding !== 'identity')
      this.#end(invalidResponse('is compressed, though it was asked not to be'));
    else if (status === 200 && !isJson(contentType)) this.#end(invalidResponse('is not JSON'));
    else if (contentLength !== null && contentLength > this.#maxBytes)
      this.#end(invalidResponse('is too large'));
  }

  onData(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) return this.#end(invalidResponse('is too large'));
    if (this.#turn !== null || this.#isLarge()) return this.#onLargeData(chunk);
    const { memory } = this.#options;
    if (memory !== null) {
      if (!memory.take(chunk.length)) return this.#tooMuch();
      this.#counted += chunk.length;
    }
    // All of it in one piece, as nearly always: read where it is.
    if (this.#chunks === null && chunk.length === this.#length) {
      this.#isParsed = true;
      this.#filtered = this.#status === 200 ? (this.#options.filterInPlace?.(chunk) ?? null) : null;
      if (this.#filtered === null) this.#body = parseUpstreamJson(chunk);
    } else (this.#chunks ??= []).push(Buffer.from(chunk));
  }

  #isLarge(): boolean {
    return this.#size > this.#sizes.inPlaceBytes && this.#options.large !== null && this.#status === 200;
  }

  /** Large answers take turns. One that waits is not read. */
  #onLargeData(chunk: Buffer): void {
    this.#turn ??= this.#waitForTurn();
    if (this.#isWaiting) (this.#chunks ??= []).push(Buffer.from(chunk));
    else if (this.#feed()?.push(chunk) === false) this.#tooMuch();
  }

  #waitForTurn(): Turn {
    const { memory } = this.#options;
    const bytes = this.#length ?? this.#maxBytes;
    memory?.give(this.#counted);
    this.#counted = 0;
    const turn = memory?.waitForTurn(bytes, () => this.#onTurn()) ?? TAKEN;
    this.#isWaiting = !turn.isTaken;
    if (this.#isWaiting) this.#sent?.pause();
    return turn;
  }

  #onTurn(): void {
    if (this.#isDone) return;
    this.#isWaiting = false;
    this.deadline = this.#timer.now() + this.#options.timeoutMs;
    try {
      this.#feed();
    } catch {
      // While it is read, the connection catches this.
      return this.#end(invalidResponse('shape'));
    }
    if (this.#isDone) return undefined;
    return this.#isWhole ? this.onEnd() : this.#sent?.resume();
  }

  /** Where the answer goes, with what came before. */
  #feed(): FilterInput | null {
    this.#input ??= this.#options.large?.(this.#length ?? undefined) ?? null;
    const early = this.#chunks ?? [];
    this.#chunks = null;
    for (const chunk of early)
      if (this.#input?.push(chunk) === false) {
        this.#tooMuch();
        return null;
      }
    return this.#input;
  }

  onEnd(): void {
    if (this.#isWaiting) {
      this.#isWhole = true;
      return;
    }
    if (!this.#finish()) return;
    const status = this.#status;
    const retryAfter = this.#retryAfter;
    if (this.#input !== null)
      return this.#listener.onResponse({ status, body: undefined, retryAfter, large: this.#input.end() });
    if (this.#filtered !== null)
      return this.#listener.onResponse({ status, body: undefined, retryAfter, filtered: this.#filtered });
    const body = this.#isParsed ? this.#body : parseModest(Buffer.concat(this.#chunks ?? [], this.#size));
    if (status === 200 && body === undefined) this.#listener.onFailure(invalidResponse('is not JSON'));
    else this.#listener.onResponse({ status, body, retryAfter });
  }

  // The transport's own errors are not kept as a cause: nothing of a request may get into a log.
  onError(): void {
    this.#end(unreachable('the connection failed'));
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? this.#sizes.answerBytes;
  }

  /** As if the homeserver had asked to wait. */
  #tooMuch(): void {
    this.#answerAs(429, '1');
  }

  /** As if the homeserver had refused it, instead of closing the connection. */
  #addressTooLong(): void {
    this.#answerAs(414, null);
  }

  #answerAs(status: number, retryAfter: string | null): void {
    if (!this.#finish()) return;
    this.#discard();
    this.#sent?.abort();
    this.#listener.onResponse({ status, body: undefined, retryAfter });
  }

  #end(error: MintwardenError): void {
    if (!this.#finish()) return;
    this.#discard();
    this.#sent?.abort();
    this.#listener.onFailure(error);
  }

  /** False where it was over already. */
  #finish(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    this.#timer.delete(this);
    this.#turn?.end(this.#size);
    const { times } = this.#options;
    if (times !== null) times.homeserverMs += this.#timer.now() - this.#startedAt;
    return true;
  }

  #discard(): void {
    this.#input?.discard();
    this.#options.memory?.give(this.#counted);
  }
}

/** How much larger an answer may become as objects where it is parsed in place: its bytes alone are counted. */
const MOST_GROWTH = 5;

/** Its JSON; undefined where it is none, or would become far larger than it is (`{},{},…`). */
function parseModest(bytes: Buffer): unknown {
  const isModest = bytes.length < 65_536 || heapEstimate(bytes) <= MOST_GROWTH * bytes.length;
  return isModest ? parseUpstreamJson(bytes) : undefined;
}

const TAKEN: Turn = { isTaken: true, end: () => undefined };

function isJson(type: string | null): boolean {
  return type !== null && (type === 'application/json' || /^application\/json\s*(?:;|$)/i.test(type));
}
