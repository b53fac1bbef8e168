import type { Grant } from '../../../domain/grant.ts';
import type { Plan, PlanLine } from '../plan-lines.ts';
import { hasReached, isRetired, type UndoState } from './state.ts';

const MAX_SHOWN = 20;

/** What undoing will do, for people to read first. */
export function buildPlan(found: UndoState, live: readonly Grant[]): Plan {
  const { options, recording, ledger } = found;
  const { bot, issuer, controlRoom, madeRoom, serverName } = recording.record;
  const steps: PlanLine[] = [];
  const kept: string[] = [];
  const add = (verb: string, what: string): void => void steps.push({ verb, what });
  for (const { id, subject } of live.slice(0, MAX_SHOWN))
    add('end', `grant ${id}, for ${subject}, and its token at the homeserver`);
  if (live.length > MAX_SHOWN) add('end', `${String(live.length - MAX_SHOWN)} more grants`);
  if (ledger !== null)
    add('wait', 'until the homeserver has confirmed that every token made for others is dead');
  if (ledger !== null && !hasReached(recording, 'told')) {
    if (options.untold) add('skip', 'telling the control room and the people concerned (--untold)');
    else add('tell', 'the people concerned, and the control room');
  }
  if (controlRoom !== null && !hasReached(recording, 'left')) {
    const closes = options.close && madeRoom;
    add(
      closes ? 'close' : 'leave',
      `the control room ${controlRoom}${closes ? ': everybody is made to leave it' : ', which stays for its members'}`,
    );
  }
  for (const userId of hasReached(recording, 'accounts-gone') ? [] : [bot, issuer]) {
    if (isRetired(found, userId))
      add('end', `the account ${userId}: deactivated for good, its name stays taken`);
    else {
      add('log out', `of ${userId}`);
      kept.push(`the account ${userId}${found.knowsMade ? ', which init did not make' : ''}`);
    }
  }
  if (ledger !== null && !options.forget)
    add('keep', `the ledger with its audit, as ${found.archive} (sealed tokens in it open no more)`);
  add('remove', `${found.configFile}, ${found.secretsDir}, ${found.stateDir}`);
  return { title: `On ${serverName} init --undo will, in this order:`, steps, kept };
}
