import { unreachable } from '../domain/errors.ts';
import type { ClockProblem } from '../domain/history-news.ts';
import { shortDuration } from './time.ts';

/** What is wrong with the time and what that means, in two sentences. */
export function clockSentence({ kind, refusing, byMs }: ClockProblem): string {
  const far = shortDuration(Math.abs(byMs));
  const means = refusing
    ? 'I honour no token until that is settled; nothing is lost by it.'
    : 'Tokens expire no later for it.';
  switch (kind) {
    case 'went-back':
      return `The clock of this machine went back: it is ${far} behind the latest time I have seen. ${means} Set the clock.`;
    case 'disagrees':
      return `The clock of this machine is ${far} ${byMs > 0 ? 'ahead of' : 'behind'} the homeserver’s. ${means} Set the one that is wrong.`;
    case 'far-ahead':
      return `The clock of this machine is ${far} ahead of the latest time I have seen. ${means} Set the clock; if it is right, an operator says so with the service stopped: mintwarden recover --clock`;
    default:
      return unreachable(kind);
  }
}
