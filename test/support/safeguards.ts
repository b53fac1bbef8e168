import { createIncidents } from '../../src/lifecycle/incidents/incidents.ts';
import { createPendingRevocations } from '../../src/lifecycle/revocation/pending-revocations.ts';
import type { Services } from '../../src/lifecycle/services.ts';
import { silentLog } from './silent-log.ts';

/** What protects a service, with nothing to protect it from: no incident, no lockdown, all recorded. */
export function idleSafeguards(
  clock: Services['clock'],
): Pick<Services, 'incidents' | 'lockdown' | 'pendingRevocations' | 'issuerStatus'> {
  return {
    incidents: createIncidents({ clock, log: silentLog }),
    lockdown: () => null,
    pendingRevocations: createPendingRevocations(),
    issuerStatus: async () => 'ok',
  };
}
