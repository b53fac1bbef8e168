/* A gateway process that was taken over: says `listening`, then whatever comes to mind, one after the other. */
const SAYINGS: readonly unknown[] = [
  { type: 'listening' },
  { type: 'ask', id: 1 },
  { type: 'ask', id: 2, ask: null },
  { type: 'ask', id: 3, ask: { kind: '__proto__' } },
  { type: 'ask', id: 4, ask: { kind: 'constructor' } },
  { type: 'ask', id: 5, ask: { kind: 'present', token: { length: 5 } } },
  { type: 'ask', id: 6, ask: { kind: 'find' } },
  { type: 'ask', id: 7, ask: { kind: 'pace', grantId: '__proto__', pace: '__proto__' } },
  { type: 'ask', id: { toString: null }, ask: { kind: 'forgetBefore', endedAt: 'now' } },
  { type: 'heard' },
  { type: 'heard' },
  'nothing',
  { type: 'failed' },
];

process.on('message', (message: { type: string; problem?: { code: string } }) => {
  if (message.type !== 'setup') return;
  for (const saying of SAYINGS) process.send?.(saying);
});
