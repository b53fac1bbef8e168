import type { Lease } from '../../domain/lease.ts';
import type { Upstream } from './access-control.ts';

/** An upstream token in memory. A secret; dropped the moment its grant or lease no longer counts. */
export type UpstreamCopy = Upstream & Pick<Lease, 'createdAt' | 'validUntil'>;
