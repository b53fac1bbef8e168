import { expect, it } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { replacementOf } from '../../src/domain/upgrade.ts';

const OLD = '!old:x' as RoomId;
const create = { predecessor: { room_id: OLD } };

it('is followed where both rooms say so', () =>
  expect(replacementOf(OLD, { replacement_room: '!new' }, create)).toBe('!new'));

it.each([
  [{}, create],
  [null, create],
  [{ replacement_room: '#alias:x' }, create],
  [{ replacement_room: ['!new'] }, create],
  [{ replacement_room: OLD }, create],
  [{ replacement_room: '!new' }, {}],
  [{ replacement_room: '!new' }, null],
  [{ replacement_room: '!new' }, { predecessor: OLD }],
  [{ replacement_room: '!new' }, { predecessor: { room_id: '!other' } }],
  [{ replacement_room: '!new' }, { predecessor: { room_id: [OLD] } }],
  [Object.create({ replacement_room: '!new' }), create],
])('is not where they do not agree: %j %j', (tombstone, created) =>
  expect(replacementOf(OLD, tombstone, created)).toBeNull(),
);
