const MIB = 1_048_576;
/** What the service takes when nobody asks for anything large: the bot, its encryption, the ledger, the code. */
const OWN_MIB = 224;
/** What a gateway process of its own takes. */
const PROCESS_MIB = 128;
/** Assumed where the system sets no limit. The same as `MemoryMax` in `config/mintwarden.service`. */
export const DEFAULT_MEMORY_BYTES: number = 512 * MIB;
/** At least this much counts as free, even where it is not. */
const LEAST_MIB = 64;

/** What of the gateway's limits follows from memory. */
export type MemoryPlan = {
  /** The largest answer taken from the homeserver. */
  readonly answerBytes: number;
  /** What is held of answers at one time, for all grants together. */
  readonly heldBytes: number;
  /** Bytes of large answers that may be in the filter's own thread at one time. */
  readonly largeBytes: number;
  /** What the heap of that thread may grow to, in MiB. */
  readonly workerHeapMb: number;
};

/**
 * Divides the memory the service may take. An eighth of what it does not need itself is for answers that are held,
 * a quarter is the heap of the thread that parses what the byte filter does not read; the rest is garbage that waits to be collected.
 * @param limitBytes of the whole service
 * @param processes that the gateway has of its own
 */
export function memoryPlan(limitBytes: number, processes = 0): MemoryPlan {
  const free = Math.max(LEAST_MIB, limitBytes / MIB - OWN_MIB - processes * PROCESS_MIB);
  const held = Math.floor(Math.min(256, free / 8)) * MIB;
  const answer = Math.min(32 * MIB, held);
  return {
    heldBytes: held,
    answerBytes: answer,
    largeBytes: answer,
    workerHeapMb: Math.floor(Math.min(1_536, free / 4)),
  };
}

/** The limit the system sets for this process and its kind (a container, a unit), in bytes; else the default. */
export function memoryLimit(constrained: number, installed: number): number {
  return constrained > 0 && constrained < installed ? constrained : DEFAULT_MEMORY_BYTES;
}
