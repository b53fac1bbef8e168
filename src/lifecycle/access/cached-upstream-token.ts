import type { Lease } from '../../domain/lease.ts';
import type { UpstreamToken } from './access-control.ts';

/** An upstream token in memory. A secret; dropped the moment its grant or lease no longer counts. */
export type CachedUpstreamToken = UpstreamToken & Pick<Lease, 'createdAt' | 'validUntil'>;
