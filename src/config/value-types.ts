import { z } from 'zod';
import { formatDuration, parseDuration } from '../domain/duration.ts';
import { MintwardenError } from '../domain/errors.ts';
import { parseRoomId, parseUserId, type RoomId, type UserId } from '../domain/ids.ts';

const YEAR_MS = 366 * 86_400_000;

function parsed<T>(parse: (text: string) => T | null, problem: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

/** A Matrix user id. */
export const userId = (): z.ZodType<UserId, string> => parsed(parseUserId, 'is no Matrix user id');
/** A room id. */
export const roomId = (): z.ZodType<RoomId, string> => parsed(parseRoomId, 'is no room id');

/** A duration of at least `minMs` and at most a year, in milliseconds. */
export const duration = (minMs: number): z.ZodType<number, string> =>
  z.string().transform((text, context) => {
    try {
      const ms = parseDuration(text);
      if (ms >= minMs && ms <= YEAR_MS) return ms;
      context.addIssue({ code: 'custom', message: ms < minMs ? 'is too short' : 'is longer than a year' });
    } catch (error) {
      if (!(error instanceof MintwardenError)) throw error;
      context.addIssue({ code: 'custom', message: 'is no duration' });
    }
    return z.NEVER;
  });

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1_024, M: 1_048_576, G: 1_073_741_824 };

/** A number of bytes: `50M`, with K, M or G for 1024 of the smaller one each, as Synapse has it. */
export const byteSize = (min: number, max: number): z.ZodType<number, string> =>
  z.string().transform((text, context) => {
    const [, digits = '', unit = ''] = /^(\d{1,15})([KMG]?)$/.exec(text) ?? [];
    const bytes = digits === '' ? Number.NaN : Number(digits) * (UNITS[unit] ?? 1);
    if (bytes >= min && bytes <= max) return bytes;
    const message = digits === '' ? 'is no size such as 50M' : bytes < min ? 'is too small' : 'is too large';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/**
 * A duration or a size in its file's spelling again.
 * @param example of the same key
 */
export function spellNumber(value: number, example: string): string {
  if (!/^\d+[KMG]$/.test(example)) return formatDuration(value);
  const unit = ['G', 'M', 'K', ''].find((one) => value % (UNITS[one] ?? 1) === 0) ?? '';
  return `${String(value / (UNITS[unit] ?? 1))}${unit}`;
}

/** The path of a file or folder. */
export const file = (): z.ZodType<string, string> => z.string().min(1, 'is empty');

/** Parsed by what parses the same words in a command; its own sentence says what is wrong. */
export const commandSyntax = <T>(parse: (text: string) => T): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof MintwardenError)) throw error;
      context.addIssue({ code: 'custom', message: `is not understood: ${error.message}` });
    }
    return z.NEVER;
  });
