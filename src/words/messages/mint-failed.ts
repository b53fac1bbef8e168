import type { Grant } from '../../domain/grant.ts';
import { isOperator } from '../../domain/ids.ts';
import type { MessageBody } from '../../domain/message.ts';
import { line, list, paragraph, pill, spaced, strong } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { canSentence } from '../scope-sentence.ts';
import { actorName, diesBy, id, mintCode } from '../text/en.ts';

/**
 * To the control room: nothing was made, and why; it also says what may be alive at the homeserver.
 */
export function mintFailed(
  body: Extract<MessageBody, { kind: 'mint-failed' }>,
  grant: Grant | null,
  now: number,
): Document {
  const said: Line = [body.next === null ? body.sentence : `${body.sentence} ${body.next}`];
  const head =
    grant === null
      ? line`${strong('No token was made.')}`
      : line`${strong('No token was made')} for ${pill(grant.subject)}.`;
  const orphan =
    body.orphanUntil === null
      ? []
      : [
          paragraph(
            spaced(
              ['The homeserver may have made a token of its own without telling us. Nobody holds it.'],
              diesBy(body.orphanUntil, now),
            ),
          ),
        ];
  if (grant === null) return [paragraph(spaced(head, said)), ...orphan];
  const asker = isOperator(grant.minter) ? [line`Asked for by ${actorName(grant.minter)}.`] : [];
  return [
    paragraph(spaced(head, said)),
    ...orphan,
    list(
      ...asker,
      line`Grant ${id(grant)} failed and stays so; there is nothing to undo. It was asked for as: ${canSentence(grant)}.`,
      line`To try again: ${mintCode(grant)}`,
    ),
  ];
}
