import { BOOKKEEPING } from './bookkeeping.ts';
import type { Line } from './line.ts';
import { NEVER } from './never.ts';
import { PROFILE } from './profile.ts';
import { ROOMS_READ } from './rooms-read.ts';
import { ROOMS_WRITE } from './rooms-write.ts';
import { SESSION } from './session.ts';
import { SYNC } from './sync.ts';

/** Every operation that is decided about. What is not in here is not served. */
export const CATALOGUE: readonly Line[] = [...SESSION, ...SYNC, ...ROOMS_READ, ...ROOMS_WRITE, ...BOOKKEEPING, ...PROFILE, ...NEVER];
