declare const brand: unique symbol;

/** The address of a file at a homeserver, `mxc://server/id` (spec 1.19, "Matrix Content (mxc://) URIs"). */
export type MediaAddress = string & { readonly [brand]: 'MediaAddress' };

/** A server's name (spec appendix 4.1): a host name or address, and a port. */
const SERVER = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,228}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** What ids are made of: nothing that could mean something in a path, whoever reads it. */
const ID = /^[A-Za-z0-9_-]{1,255}$/;
const URI = /^mxc:\/\/([^/]{1,236})\/([^/]{1,255})$/;

/** The address of these parts of a path, or null. */
export function mediaAddress(server: string, id: string): MediaAddress | null {
  return SERVER.test(server) && !server.includes('..') && ID.test(id)
    ? (`mxc://${server}/${id}` as MediaAddress)
    : null;
}

/** An address as an event has it, or null. */
export function parseMediaAddress(text: string): MediaAddress | null {
  const parts = URI.exec(text);
  return parts === null ? null : mediaAddress(parts[1] ?? '', parts[2] ?? '');
}

/** Its parts as a path's segments, encoded again. */
export function segmentsOf(address: MediaAddress): string {
  const [server = '', id = ''] = address.slice('mxc://'.length).split('/');
  return `${encodeURIComponent(server)}/${encodeURIComponent(id)}`;
}

/** The server it is of. */
export function serverOfMedia(address: MediaAddress): string {
  return address.slice('mxc://'.length, address.indexOf('/', 'mxc://'.length));
}
