import type { Scope } from '../../../../src/domain/scope.ts';

/** What the oracle knows of the session whose request it was. */
export type Bounds = { readonly scope: Scope; readonly rooms: ReadonlySet<string>; readonly subject: string };

/** Whether an event is one of the room, which both have in their names. */
export function eventFault(event: string, room: string): string | null {
  const [of, at] = [/nq(\d)/.exec(event)?.[1], /nq(\d)/.exec(room)?.[1]];
  return of !== undefined && of === at ? null : 'an event of another room';
}
