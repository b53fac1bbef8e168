import type { Endpoint } from '../request/endpoint.ts';
import { never, unserved } from './refused.ts';

const C = '/_matrix/client/{v}';
const ADMIN =
  'Administration, whoever the subject is: an administrator’s upstream token would open all of it.';
const SERVERS = 'Used between servers, bridges and other services, never by a client.';

/** Branches that never pass, so that the refusal of what is in them tomorrow is decided today. */
export const REFUSED_BRANCHES: readonly Endpoint[] = [
  never('getWhoIs', 'GET', `${C}/admin/whois/{userId}`, ADMIN),
  never('getAdminSuspendUser', 'GET', `${C}/admin/suspend/{userId}`, ADMIN),
  never('setAdminSuspendUser', 'PUT', `${C}/admin/suspend/{userId}`, ADMIN),
  never('getAdminLockUser', 'GET', `${C}/admin/lock/{userId}`, ADMIN),
  never('setAdminLockUser', 'PUT', `${C}/admin/lock/{userId}`, ADMIN),
  never('pingAppservice', 'POST', `${C}/appservice/{appserviceId}/ping`, 'Only for application services.'),
  never('adminFamily', 'any', [`${C}/admin/**`, '/_matrix/client/unstable/uk.timedout.msc4323/**'], ADMIN, {
    source: 'family',
  }),
  never('synapse', 'any', ['/_synapse/**'], ADMIN, { source: 'family' }),
  never(
    'appserviceFamily',
    'any',
    [`${C}/appservice/**`, '/_matrix/client/unstable/io.element.msc4512/**'],
    SERVERS,
    { source: 'family' },
  ),
  never(
    'otherApis',
    'any',
    ['/_matrix/federation/**', '/_matrix/key/**', '/_matrix/app/**', '/_matrix/identity/**'],
    SERVERS,
    { source: 'family' },
  ),
  never(
    'importHistory',
    'any',
    ['/_matrix/client/unstable/org.matrix.msc2716/**'],
    'Writes the history of a room.',
    { source: 'family' },
  ),
  unserved(
    'oldApis',
    'any',
    ['/_matrix/client/api/**', '/_matrix/client/v2_alpha/**'],
    'Paths from before 2016; the same operations have newer ones.',
    { source: 'family' },
  ),
];
