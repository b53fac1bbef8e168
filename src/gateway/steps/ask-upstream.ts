import type { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { UpstreamToken } from '../../lifecycle/access/access-control.ts';
import type { FilterTask } from '../filter-worker/filter-job.ts';
import type { FilterInput } from '../filter-worker/filter-worker.ts';
import { type GatewayResponse, isResponse, UNAVAILABLE } from '../http/response.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import { type RequestContext, type StepResult, WAIT } from '../request/context.ts';
import type { ForwardPlan } from '../request/plan.ts';
import type { GatewayServices } from '../request/services.ts';
import { responseForError, isTokenUnknown, readResponse, renewLease } from '../upstream/ask.ts';
import type { CallListener, CallOptions, UpstreamResponse } from '../upstream/json-call.ts';
import type { Sent } from '../upstream/transport/transport.ts';

/**
 * Asks the homeserver what a plain read wants. Nearly all requests come this way, so it goes by callbacks: no
 * promise, timer or signal of its own.
 */
export function askUpstream(
  context: RequestContext,
  services: GatewayServices,
): StepResult | Promise<StepResult> {
  const { plan, grantId } = context;
  if (plan?.kind !== 'forward' || grantId === null) return undefined;
  const lease = services.accessControl.upstreamToken(grantId);
  return lease instanceof Promise
    ? lease.then((one) => send(context, services, plan, grantId, one), responseForError)
    : send(context, services, plan, grantId, lease);
}

function send(
  context: RequestContext,
  services: GatewayServices,
  plan: ForwardPlan,
  grantId: GrantId,
  lease: UpstreamToken,
): typeof WAIT {
  const call = new ForwardCall(context, services, plan, grantId, lease);
  call.send();
  return WAIT;
}

class ForwardCall implements CallListener, CallOptions {
  readonly timeoutMs: number;
  readonly memory: MemoryReservation;
  readonly times: { homeserverMs: number };
  readonly #context: RequestContext;
  readonly #services: GatewayServices;
  readonly #plan: ForwardPlan;
  readonly #grantId: GrantId;
  #lease: UpstreamToken;
  #isSecond = false;
  #sent: Sent | null = null;

  constructor(
    context: RequestContext,
    services: GatewayServices,
    plan: ForwardPlan,
    grantId: GrantId,
    lease: UpstreamToken,
  ) {
    this.#context = context;
    this.#services = services;
    this.#plan = plan;
    this.#grantId = grantId;
    this.#lease = lease;
    this.timeoutMs = services.limits.upstreamTimeoutMs;
    this.memory = context.memory;
    this.times = context;
    context.onAbort = () => this.#sent?.abort();
  }

  /** Nothing more is asked where the holder has gone or the grant has ended meanwhile. */
  send(): void {
    if (this.#context.abortReason !== null) return;
    this.#sent = this.#services.json.send(this.#plan.request, this.#lease.token, this, this);
  }

  large(size: number | undefined): FilterInput {
    return this.#services.filterWorker.open(filterTask(this.#plan), this.#grantId, size);
  }

  /** What the byte filter shows of a whole answer; null: it is to be read as JSON. */
  filterInPlace(bytes: Buffer): GatewayResponse | null {
    const { endpoint, call, filter } = this.#plan;
    if (endpoint.overBytes === undefined) return null;
    return this.#services.filterWorker.filterInPlace(endpoint.overBytes, call, filter, bytes);
  }

  onResponse(response: UpstreamResponse): void {
    if (isTokenUnknown(response)) {
      if (this.#isSecond) this.#resume(UNAVAILABLE);
      else this.#context.resume(this.#renew());
      return;
    }
    const result = readResponse(response, this.#plan.endpoint.maskNotFound === true);
    if (isResponse(result)) return this.#resume(result);
    this.#context.received = result;
    this.#resume(undefined);
  }

  onFailure(error: MintwardenError): void {
    this.#resume(responseForError(error));
  }

  /** The homeserver does not know the token any more: ask once more with another. */
  async #renew(): Promise<StepResult> {
    this.#sent = null;
    const { accessControl } = this.#services;
    const renewed = await renewLease(accessControl, this.#grantId, this.#lease).catch(responseForError);
    if (isResponse(renewed)) return renewed;
    this.#isSecond = true;
    this.#lease = renewed;
    this.send();
    return WAIT;
  }

  #resume(result: StepResult): void {
    this.#context.onAbort = null;
    this.#context.resume(result);
  }
}

/** The plan as data. The filter's thread does not get the token, not even its hash. */
function filterTask({ endpoint, call }: ForwardPlan): FilterTask {
  const { access, params, query, body, now } = call;
  const grant = { ...access.grant, tokenHash: '' };
  return {
    kind: 'endpoint',
    endpointId: endpoint.id,
    overBytes: endpoint.overBytes,
    call: { params: { ...params }, query: new Map(query), body, now, access: { grant, rooms: new Set() } },
  };
}
