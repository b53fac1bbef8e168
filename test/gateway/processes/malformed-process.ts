/* A gateway process that was taken over: says `listening`, then sends malformed messages. */
const MESSAGES: readonly unknown[] = [
  { type: 'listening' },
  { type: 'call', id: 1 },
  { type: 'call', id: 2, call: null },
  { type: 'call', id: 3, call: { kind: '__proto__' } },
  { type: 'call', id: 4, call: { kind: 'constructor' } },
  { type: 'call', id: 5, call: { kind: 'present', token: { length: 5 } } },
  { type: 'call', id: 6, call: { kind: 'find' } },
  { type: 'call', id: 7, call: { kind: 'takeRate', grantId: '__proto__', rateClass: '__proto__' } },
  { type: 'call', id: { toString: null }, call: { kind: 'forgetBefore', endedAt: 'now' } },
  { type: 'ack' },
  { type: 'ack' },
  'nothing',
  { type: 'failed' },
];

process.on('message', ({ type }: { type: string }) => {
  if (type !== 'setup') return;
  for (const message of MESSAGES) process.send?.(message);
});
