import { ok } from '../http/response.ts';
import { requireObject, pick } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

/** What may be said of someone's presence (spec 1.19, "Presence"). */
export const PRESENCES: readonly string[] = ['online', 'offline', 'unavailable'];

const STATUS = {
  presence: 'text',
  status_msg: 'text',
  last_active_ago: 'count',
  currently_active: 'flag',
} as const;

/** Whether somebody is there. */
export const presenceStatus: AnswerFilter = (body) => ok(pick(requireObject(body, 'presence'), STATUS));
