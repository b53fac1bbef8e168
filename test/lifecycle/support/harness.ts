import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandKey } from '../../../src/domain/change.ts';
import { chainFault } from '../../../src/domain/audit.ts';
import type { Grant } from '../../../src/domain/grant.ts';
import type { EventId, GrantId } from '../../../src/domain/ids.ts';
import type { Message } from '../../../src/domain/message.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import { createDueWork } from '../../../src/lifecycle/scheduler/due-work.ts';
import { mint } from '../../../src/lifecycle/mint/mint.ts';
import { revoke } from '../../../src/lifecycle/revocation/revoke.ts';
import type { MintRequest } from '../../../src/lifecycle/requests.ts';
import { resume } from '../../../src/lifecycle/scheduler/resume.ts';
import type { Services } from '../../../src/lifecycle/services.ts';
import type { Ledger } from '../../../src/ports/ledger.ts';
import { createSealer } from '../../../src/store/seal/index.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { buildPolicy } from '../../support/grants.ts';
import { idleSafeguards } from '../../support/safeguards.ts';
import { silentLog } from '../../support/silent-log.ts';
import { createGate, type Gate } from './gate.ts';
import { ADMIN, ALICE, BOT, CONTROL, Homeserver, ISSUER, OPS } from './homeserver.ts';

const HOUR = 3_600_000;

const POLICY: Policy = buildPolicy({ admins: [ADMIN] });

/** A service over a real ledger and a scripted homeserver, whose process can be killed and started again. */
export class Service implements AsyncDisposable {
  readonly homeserver: Homeserver;
  readonly #folder = mkdtempSync(join(tmpdir(), 'mintwarden-lifecycle-'));
  readonly #sealer = createSealer({ keys: [{ id: 'k1', key: randomBytes(32) }], randomBytes });
  readonly clock = { at: Date.UTC(2026, 2, 1, 12), now: () => this.clock.at };
  policy: Policy = POLICY;
  ledger!: Ledger;
  services!: Services;
  gate!: Gate;
  #work!: ReturnType<typeof createDueWork>;
  #commands = 0;

  constructor() {
    this.homeserver = new Homeserver(() => this.clock.at);
  }

  static async start(): Promise<Service> {
    const service = new Service();
    await service.open();
    return service;
  }

  /** Starts a process on what is on disk. */
  async open(): Promise<void> {
    this.gate = createGate();
    this.ledger = await openSqliteLedger({ file: join(this.#folder, 'ledger.sqlite'), log: silentLog });
    this.services = {
      ledger: this.gate.wrap(this.ledger),
      issuer: this.gate.wrap(this.homeserver.issuer()),
      directory: this.gate.wrap(this.homeserver.directory()),
      chat: this.gate.wrap(this.homeserver.chat()),
      sealer: this.#sealer,
      clock: this.clock,
      random: { bytes: (count) => randomBytes(count) },
      log: silentLog,
      policy: () => this.policy,
      ownAccounts: [BOT, ISSUER],
      controlRoomId: CONTROL,
      gatewayUrl: 'https://gateway.example.org',
      seesAddresses: true,
      ...idleSafeguards(this.clock),
    };
    this.#work = createDueWork(this.services);
  }

  /** Kills the process, if it still lives, and starts another. */
  async restart(): Promise<void> {
    this.gate.die();
    await this.ledger.close();
    await this.homeserver.arrived();
    await this.open();
    await resume(this.services);
  }

  command(): CommandKey {
    const count = ++this.#commands;
    return {
      eventId: `$command${count}` as EventId,
      sender: ADMIN,
      sessionId: 'session',
      messageIndex: count,
      at: this.clock.at,
    };
  }

  request(fields: Partial<MintRequest> = {}): MintRequest {
    return {
      minter: ADMIN,
      subject: ALICE,
      recipient: null,
      rooms: [{ kind: 'id', roomId: OPS }],
      limits: {},
      ttlMs: HOUR,
      reason: null,
      command: this.command(),
      ...fields,
    };
  }

  /** Mints, and expects that it was begun. */
  async mint(fields: Partial<MintRequest> = {}): Promise<Grant> {
    const begun = await mint(this.services, this.request(fields));
    if (begun.kind !== 'begun') throw new Error('the mint was taken for a repetition');
    return begun.grant;
  }

  async revoke(grant: Grant): Promise<void> {
    await revoke(this.services, { grant, by: ADMIN, as: 'admin', command: this.command() });
  }

  /** Does all that is due now, until nothing is or the process dies. */
  async drain(): Promise<void> {
    for (let rounds = 0; rounds < 500; rounds++) {
      const pass = await Promise.race([this.#work.pass(), this.gate.died.then(() => null)]);
      if (pass === null || pass.begun.length === 0) return;
      await Promise.race([Promise.all(pass.begun), this.gate.died]);
      if (this.gate.isDead()) return;
    }
    throw new Error('what is due never ends');
  }

  /** Lets time pass in steps, doing what is due. */
  async pass(ms: number, stepMs = Math.max(1_000, Math.ceil(ms / 40))): Promise<void> {
    const end = this.clock.at + ms;
    await this.drain();
    while (this.clock.at < end && !this.gate.isDead()) {
      this.clock.at = Math.min(end, this.clock.at + stepMs);
      await this.drain();
    }
  }

  async grant(id: GrantId): Promise<Grant> {
    const grant = await this.ledger.grant(id);
    if (grant === null) throw new Error(`no grant ${id}`);
    return grant;
  }

  async messageOf(id: GrantId, kind: Message['body']['kind']): Promise<Message | undefined> {
    return (await this.ledger.messages(id)).find((message) => message.body.kind === kind);
  }

  /** The scoped tokens in the rooms, redacted or not. */
  tokensSeen(): { token: string; redacted: boolean }[] {
    return this.homeserver.events.flatMap((event) => {
      const token = /mwt_[0-9A-Za-z]+_[0-9A-Za-z]+/.exec(event.content.body)?.[0];
      return token === undefined ? [] : [{ token, redacted: event.redacted }];
    });
  }

  async auditFault(): Promise<ReturnType<typeof chainFault>> {
    return chainFault(await this.ledger.audit(0, 1_000_000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.die();
    await this.ledger.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
