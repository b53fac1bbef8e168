/** Everything that can be wrong with the service as a whole. A closed set: alerts and tests go by it. */
export type IncidentKind =
  | 'homeserver-away'
  | 'bot-logged-out'
  | 'bot-stopped'
  | 'issuer-logged-out'
  | 'issuer-not-admin'
  | 'control-room-lost'
  | 'control-room-replaced'
  | 'control-room-exposed'
  | 'disk'
  | 'filters-differ';

/**
 * What is wrong right now: one sentence, and what to do about it. Neither holds a secret, a name or a text of
 * anybody's.
 */
export type Incident = {
  readonly kind: IncidentKind;
  /** Epoch ms. */
  readonly since: number;
  readonly sentence: string;
  readonly next: string;
};

/**
 * Who is told of it, where: `control` the room itself; `admins` their DMs, since the room cannot be used;
 * `after` the room, once it is over; `nobody` the log alone.
 */
export type IncidentAudience = 'control' | 'admins' | 'after' | 'nobody';

const AUDIENCES: Readonly<Record<IncidentKind, IncidentAudience>> = {
  'homeserver-away': 'nobody',
  'bot-logged-out': 'after',
  'bot-stopped': 'after',
  'issuer-logged-out': 'control',
  'issuer-not-admin': 'control',
  'control-room-lost': 'admins',
  'control-room-replaced': 'admins',
  'control-room-exposed': 'admins',
  disk: 'control',
  'filters-differ': 'control',
};

/** All of them. */
export const INCIDENT_KINDS: readonly IncidentKind[] = Object.keys(AUDIENCES) as IncidentKind[];

/** Where an incident is reported. */
export function audienceOf(kind: IncidentKind): IncidentAudience {
  return AUDIENCES[kind];
}
