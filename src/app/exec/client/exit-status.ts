import type { ExecError } from '../protocol.ts';

/** Exit statuses that scripts can rely on (docs/exec.md). */
export const STATUS = { done: 0, failed: 1, notUnderstood: 2, notRunning: 3, refused: 4 } as const;

const BY_CODE: Readonly<Record<ExecError['code'], number>> = {
  usage: STATUS.notUnderstood,
  ambiguous: STATUS.notUnderstood,
  'not-running': STATUS.notRunning,
  'not-allowed': STATUS.refused,
  'refused-by-policy': STATUS.refused,
  'subject-unusable': STATUS.refused,
  'recipient-unusable': STATUS.refused,
  'room-unusable': STATUS.refused,
  'subject-unreachable': STATUS.failed,
  'not-found': STATUS.failed,
  conflict: STATUS.failed,
  'homeserver-unreachable': STATUS.failed,
  'homeserver-refused': STATUS.failed,
  'homeserver-invalid-response': STATUS.failed,
  configuration: STATUS.failed,
  state: STATUS.failed,
  internal: STATUS.failed,
};

/** The exit status for what went wrong; 0 where nothing did. */
export function exitStatus(error: Pick<ExecError, 'code'> | null): number {
  return error === null ? STATUS.done : BY_CODE[error.code];
}
