import { OPS } from '../../lifecycle/support/homeserver.ts';

const EVENTS = 500;
const EVENT_BYTES = 60_000;

/** What is wrong with each event, for `hostileAnswer`. */
export const HOSTILITIES = [
  'braces',
  'escaped-keys',
  'repeated-keys',
  'repeated-content-keys',
  'lone-surrogates',
  'bad-utf8',
  'mixed',
] as const;
export type Hostility = (typeof HOSTILITIES)[number];

/**
 * 30 MB of `/messages`: events of 60 kB of `{},{},…`, which become a hundred times as large as objects, and
 * that cannot be copied as they are: a filter of bytes must read them.
 */
export function hostileAnswer(hostility: Hostility): Buffer {
  const events = Array.from({ length: EVENTS }, (_, at) => {
    const kind = HOSTILITIES[at % (HOSTILITIES.length - 1)] ?? 'braces';
    return hostileEvent(hostility === 'mixed' ? kind : hostility, at);
  });
  return Buffer.concat([
    Buffer.from('{"start":"t1","end":"t2","chunk":['),
    ...events.flatMap((event, at) => (at === 0 ? [event] : [Buffer.from(','), event])),
    Buffer.from(']}'),
  ]);
}

/** 30 MB of a space's hierarchy: what is parsed as a whole. */
export function hostileHierarchy(): Buffer {
  const child = `{"type":"m.space.child","state_key":"!x:example.org","sender":"@a:example.org","origin_server_ts":1,"content":{"via":["example.org"],"pad":[${'{},'.repeat(19_000)}{}]}}`;
  const room = `{"room_id":"${OPS}","num_joined_members":1,"guest_can_join":false,"world_readable":false,"children_state":[${Array.from({ length: EVENTS }, () => child).join(',')}]}`;
  return Buffer.from(`{"rooms":[${room}]}`);
}

function hostileEvent(hostility: Hostility, at: number): Buffer {
  const type = hostility === 'escaped-keys' ? String.raw`"t\u0079pe"` : '"type"';
  const again = hostility === 'repeated-keys' ? '"type":"m.room.message",' : '';
  const twice = hostility === 'repeated-content-keys' ? '"body":"other",' : '';
  const body =
    hostility === 'lone-surrogates' ? String.raw`\ud800` : hostility === 'bad-utf8' ? '\uFFFF' : 'x';
  const head = `{${again}${type}:"m.room.message","room_id":"${OPS}","sender":"@a:example.org","event_id":"$e${String(at)}","origin_server_ts":1,"content":{"msgtype":"m.text",${twice}"body":"${body}","pad":[`;
  const tail = '{}]}}';
  const pad = '{},'.repeat(Math.floor((EVENT_BYTES - head.length - tail.length) / 3));
  const event = Buffer.from(head + pad + tail);
  // U+FFFF is three bytes; the first becomes one that UTF-8 never has.
  if (hostility === 'bad-utf8') event[event.indexOf(Buffer.from('\uFFFF'))] = 0xff;
  return event;
}
