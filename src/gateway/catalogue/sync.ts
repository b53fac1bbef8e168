import type { Line } from './line.ts';

/** The long-poll. Sliding sync has no line: Synapse answers it 500 without a device. */
export const SYNC: readonly Line[] = [
  {
    id: 'sync',
    kind: 'poll',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/sync'],
    needs: 'read',
    room: 'answer',
    why: 'The rooms in scope, each with timeline, state, members; the wait goes on while there is nothing to show.',
  },
];
