import { CAPABILITY, type Capability } from '../domain/capability.ts';

/** How a capability is written after `--can`: `state[:TYPE[:KEY]]`. */
export function formOf(name: Capability): string {
  const { takes } = CAPABILITY[name];
  if (takes === 'nothing') return name;
  if (takes === 'a-type') return `${name}:TYPE`;
  return takes === 'type' ? `${name}[:TYPE]` : `${name}[:TYPE[:KEY]]`;
}
