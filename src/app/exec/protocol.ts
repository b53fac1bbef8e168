import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { ReplyData } from '../../bot/command.ts';

/**
 * The version of the protocol, and of what `--json` prints. It changes when something is taken away, not when
 * it is added.
 */
export const VERSION = 1;

/** The longest line that either side takes from a client, in bytes. */
export const MAX_LINE_BYTES = 65_536;

/** The longest command. */
const MAX_COMMAND = 16_000;

/** Names of operators, as they stand in the audit. */
const OPERATOR = /^[A-Za-z0-9_.@+-]{1,64}$/;

const requestSchema = z.strictObject({
  version: z.literal(VERSION),
  /** The client's own: asked again under the same id, a command is not done a second time. */
  id: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
  /** The operator that the client names. Anyone who can open the socket is believed. */
  operator: z.string().regex(OPERATOR),
  line: z.string().min(1).max(MAX_COMMAND),
});

const receiptSchema = z.union([
  z.strictObject({ version: z.literal(VERSION), kind: z.literal('kept') }),
  z.strictObject({ version: z.literal(VERSION), kind: z.literal('not-kept'), why: z.string().max(200) }),
]);

/** What a client asks, in one line. */
export type ExecRequest = z.infer<typeof requestSchema>;
/** A client's word on the token it was handed. */
export type Receipt = z.infer<typeof receiptSchema>;

/** Errors by the vocabulary of the house, and one of the client's own: nobody answers. */
export type ExecError = {
  readonly code: ErrorCode | 'not-running';
  readonly message: string;
  readonly next: string | null;
};

/** The answer, in one line: what `--json` prints, with the words for people beside it. */
export type ExecResponse = {
  readonly version: typeof VERSION;
  readonly kind: 'answer';
  readonly command: string | null;
  readonly words: string;
  readonly data: ReplyData;
  readonly error: ExecError | null;
};

/** A token on its way into a file: the only line with a secret in it. The client answers with a receipt. */
export type TokenMessage = {
  readonly version: typeof VERSION;
  readonly kind: 'token';
  readonly grant: string;
  readonly token: string;
};

/** Any text as an operator's name. */
export function operatorName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_.@+-]/g, '_').slice(0, 64);
  return name === '' ? 'unnamed' : name;
}

/** @throws MintwardenError `usage` for anything else than a request of this version */
export function parseRequest(line: string): ExecRequest {
  const parsed = requestSchema.safeParse(tryParseJson(line));
  if (parsed.success) return parsed.data;
  const version: unknown = Reflect.get(Object(tryParseJson(line)), 'version');
  const other = typeof version === 'number' && version !== VERSION ? ` of version ${String(version)}` : '';
  throw new MintwardenError(
    'usage',
    `That is no request${other} that this service understands.`,
    `It speaks version ${String(VERSION)}: use the mintwarden that belongs to it.`,
  );
}

/** @throws MintwardenError `usage` for anything else than a receipt */
export function parseReceipt(line: string): Receipt {
  const parsed = receiptSchema.safeParse(tryParseJson(line));
  if (parsed.success) return parsed.data;
  throw new MintwardenError('usage', 'That says neither that the token was kept nor that it was not.');
}

function tryParseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
