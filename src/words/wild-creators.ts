import { isWildCreator } from '../domain/creator.ts';
import type { Scope } from '../domain/scope.ts';
import { line, paragraph } from './build.ts';
import type { Document } from './document.ts';
import { safeInline } from './safe-text.ts';

/**
 * Warns of wildcards in a scope by creator: whoever may be given such a name makes rooms that are in scope.
 * Always, since no homeserver says which names belong to an application service alone.
 */
export function wildWarning({ by = [] }: Pick<Scope, 'by'>): Document {
  const wild = by.filter(isWildCreator).map(safeInline);
  if (wild.length === 0) return [];
  return [
    paragraph(
      line`Careful: ${wild.join(', ')} is anyone with such a name. Only an application service with that namespace to itself should.`,
    ),
  ];
}
