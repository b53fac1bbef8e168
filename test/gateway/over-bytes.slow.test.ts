import { filterOverBytes } from './support/stage.ts';

// The attacks on answers once more, with each answer filtered over its bytes, as far as that is possible: it
// makes no difference. Media first: its events are of the time at which it is imported.
filterOverBytes();
await import('./attacks/media.test.ts');
await import('./attacks/messages.test.ts');
await import('./attacks/sync.test.ts');
await import('./attacks/reads.test.ts');
await import('./attacks/own-sections.test.ts');
await import('./attacks/read-by-type.test.ts');
await import('./attacks/upstream-errors.test.ts');
