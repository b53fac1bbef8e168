import { ACCOUNT } from './account.ts';
import { BOOKKEEPING } from './bookkeeping.ts';
import { DEVICES_AND_KEYS } from './devices.ts';
import { DIRECTORY } from './directory.ts';
import { FAMILIES } from './refused-branches.ts';
import { FINDING } from './discovery.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { MEDIA } from './media.ts';
import { MEMBERSHIP } from './membership.ts';
import { PEOPLE } from './people.ts';
import { PERSONAL } from './personal.ts';
import { PROFILE } from './profile.ts';
import { ROOMS_READ } from './room-reads.ts';
import { ROOMS_WRITE } from './room-writes.ts';
import { SESSION } from './session.ts';
import { SYNC } from './sync.ts';

/** The lines by what they are about: the chapters of the table in `docs/gateway.md`. */
export const CHAPTERS: readonly (readonly [title: string, lines: readonly Endpoint[]])[] = [
  ['Start and end', SESSION],
  ['Sync', SYNC],
  ['Reading a room', ROOMS_READ],
  ['Search and spaces', FINDING],
  ['Profiles', PROFILE],
  ['Room aliases and lists', DIRECTORY],
  ['Writing in a room', ROOMS_WRITE],
  ['Membership', MEMBERSHIP],
  ['Media', MEDIA],
  ['People', PEOPLE],
  ['Personal data', PERSONAL],
  ['Asked at start, answered by the gateway', BOOKKEEPING],
  ['Devices and keys', DEVICES_AND_KEYS],
  ['Credentials and the account', ACCOUNT],
  ['Refused branches', FAMILIES],
];

/** Every operation that is decided about. What is not in here is not served. */
export const CATALOGUE: readonly Endpoint[] = CHAPTERS.flatMap(([, lines]) => lines);
