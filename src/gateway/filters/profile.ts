import { ok } from '../http/response.ts';
import { requireObject, pick, type Shape } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

const PROFILE = {
  displayname: 'text',
  avatar_url: 'text',
  'm.tz': 'text',
  'us.cloke.msc4175.tz': 'text',
} as const satisfies Shape;

/** The fields of a profile that are shown, and may be set: the others nobody decided about. */
export const PROFILE_FIELDS = Object.keys(PROFILE) as readonly (keyof typeof PROFILE)[];

/** A profile: name, picture, time zone. */
export const profile: AnswerFilter = (body) => ok(pick(requireObject(body, 'profile'), PROFILE));
