import type { Permission } from './permission.ts';
import type { ScopeLimits } from './scope.ts';

/** A named answer to "what does such a holder need?". The rooms are never in it: they are always said. */
export type Preset = {
  /** For help: what it is for. One line without a full stop. */
  readonly explanation: string;
  readonly can: readonly Permission[];
  readonly limits: Omit<ScopeLimits, 'by' | 'followUpgrades'>;
};

/** The presets there are unless the configuration says otherwise under the same name. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  hud: {
    explanation: 'a dashboard: shows what is said in rooms, and marks nothing as read',
    can: ['read'],
    limits: {},
  },
  widget: {
    explanation: 'a widget in a room: reads, writes messages and reacts',
    can: ['read', 'send:m.room.message', 'react'],
    limits: { power: 0 },
  },
  notifier: {
    explanation: 'a script that only tells: sends messages and files, and reads nothing',
    can: ['send:m.room.message', 'upload'],
    limits: { power: 0 },
  },
  agent: {
    explanation: 'an assistant: reads, answers, reacts, corrects itself, and has no power over others',
    can: ['read', 'send:m.room.message', 'react', 'edit', 'redact', 'typing', 'receipts', 'upload'],
    limits: { power: 0 },
  },
  bridge: {
    explanation: 'a bridge that acts as the user in the rooms it made: best with --rooms-by',
    can: [
      'read',
      'send',
      'react',
      'edit',
      'redact',
      'join',
      'leave',
      'receipts',
      'typing',
      'markers',
      'tags',
      'media-any',
      'upload',
    ],
    limits: {},
  },
};
