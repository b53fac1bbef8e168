import { filterInThread } from './support/stage.ts';

// The attacks on answers once more, with each answer filtered in the other thread: it is to make no
// difference.
filterInThread();
await import('./attacks/messages.test.ts');
await import('./attacks/sync.test.ts');
await import('./attacks/reads.test.ts');
await import('./attacks/own-sections.test.ts');
await import('./attacks/search.test.ts');
await import('./attacks/read-by-type.test.ts');
