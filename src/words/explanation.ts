import type { Explanation } from '../domain/explanation.ts';
import type { Grant } from '../domain/grant.ts';
import { code, line, list, paragraph, strong } from './build.ts';
import type { Document, Line } from './document.ts';

const VERDICT = { yes: 'Yes.', no: 'No.', depends: 'It depends.' } as const;

/** Whether a request with the grant's token would pass, and why, for the person who asked. */
export function explanationDocument(explanation: Explanation, grant: Pick<Grant, 'id'>): Document {
  const { passes, operation, status, lacks, why, asked, shown } = explanation;
  const would =
    passes === 'no' ? `The gateway would refuse it with ${status ?? 403}` : 'The gateway would let it pass';
  const named = operation === null ? [] : line` (${code(operation)})`;
  const unless = passes === 'depends' ? ', unless what follows speaks against it' : '';
  const points: readonly Line[] = [
    ...(lacks === null ? [] : [line`Missing: the capability ${code(lacks)}`]),
    ...why.map(marked),
    ...(asked === null
      ? passes === 'no'
        ? []
        : [['Asked of the homeserver: nothing']]
      : [marked(`Asked of the homeserver: ${asked}`)]),
    ...(shown === null || passes === 'no' ? [] : [marked(`Shown: ${shown}`)]),
  ];
  return [
    paragraph(
      line`${strong(VERDICT[passes])} ${would}${named}, with the token of ${code(grant.id)}${unless}.`,
    ),
    list(...points),
  ];
}

/** What stands between backticks, as the catalogue writes it, as code. */
function marked(text: string): Line {
  return text.split('`').map((piece, index) => (index % 2 === 0 ? piece : code(piece)));
}
