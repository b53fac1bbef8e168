import { ACCOUNT } from './account.ts';
import { BOOKKEEPING } from './bookkeeping.ts';
import { DEVICES_AND_KEYS } from './devices.ts';
import { DIRECTORY } from './directory.ts';
import { REFUSED_BRANCHES } from './refused-branches.ts';
import { DISCOVERY } from './discovery.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { MEDIA } from './media.ts';
import { MEMBERSHIP } from './membership.ts';
import { PEOPLE } from './people.ts';
import { PERSONAL } from './personal.ts';
import { PROFILE } from './profile.ts';
import { ROOM_READS } from './room-reads.ts';
import { ROOM_WRITES } from './room-writes.ts';
import { SESSION } from './session.ts';
import { SYNC } from './sync.ts';

/** The lines by what they are about: the chapters of the table in `docs/gateway.md`. */
export const CHAPTERS: readonly (readonly [title: string, lines: readonly Endpoint[]])[] = [
  ['Start and end', SESSION],
  ['Sync', SYNC],
  ['Reading a room', ROOM_READS],
  ['Search and spaces', DISCOVERY],
  ['Profiles', PROFILE],
  ['Room aliases and lists', DIRECTORY],
  ['Writing in a room', ROOM_WRITES],
  ['Membership', MEMBERSHIP],
  ['Media', MEDIA],
  ['People', PEOPLE],
  ['Personal data', PERSONAL],
  ['Asked at start, answered by the gateway', BOOKKEEPING],
  ['Devices and keys', DEVICES_AND_KEYS],
  ['Credentials and the account', ACCOUNT],
  ['Refused branches', REFUSED_BRANCHES],
];

/** Every operation that is decided about. What is not in here is not served. */
export const CATALOGUE: readonly Endpoint[] = CHAPTERS.flatMap(([, lines]) => lines);
