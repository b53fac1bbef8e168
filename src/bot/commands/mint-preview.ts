import { ENFORCED, unenforced } from '../../domain/enforced.ts';
import { isOperator } from '../../domain/ids.ts';
import type { MintPlan } from '../../lifecycle/requests.ts';
import { code, line, list, paragraph, pill, strong } from '../../words/build.ts';
import { mintLine } from '../../words/command-line.ts';
import type { Document, Line } from '../../words/document.ts';
import { scopeList, scopeSentence } from '../../words/scope-sentence.ts';
import { actorName, reason } from '../../words/text/en.ts';
import { unenforcedSentence } from '../../words/unenforced.ts';
import { wildWarning } from '../../words/wild-creators.ts';

function deliveryLine(recipient: MintPlan['grant']['recipient'], joined: boolean): Line {
  if (isOperator(recipient)) return line`The token would go to ${actorName(recipient)}, into the file.`;
  return joined
    ? line`The token would go to ${pill(recipient)}, by encrypted direct message.`
    : line`The token would wait until ${pill(recipient)} accepts my invitation to a direct message.`;
}

/** What `!mint --dry-run` answers. */
export function mintPreview({ grant, recipientJoined }: MintPlan, now: number): Document {
  const text = mintLine(grant);
  const missing = unenforced(grant.scope, ENFORCED);
  const points = scopeList(grant, now);
  if (missing.length > 0) {
    return [
      paragraph(
        line`${strong('Nothing was made, and this cannot be granted yet.')} ${unenforcedSentence(missing)}`,
      ),
      paragraph(
        line`It would be a grant that speaks for ${pill(grant.subject)} and ${points === null ? line`${scopeSentence(grant, now)}.` : ':'}`,
      ),
      ...(points === null ? [] : [list(...points)]),
      ...wildWarning(grant.scope),
    ];
  }
  return [
    paragraph(
      line`${strong('Nothing was made.')} Without ${code('--dry-run')} there would be a grant that speaks for ${pill(grant.subject)} and ${points === null ? line`${scopeSentence(grant, now)}.` : ':'}`,
    ),
    ...(points === null ? [] : [list(...points)]),
    list(
      reason(grant),
      line`${pill(grant.subject)} would be told first.`,
      deliveryLine(grant.recipient, recipientJoined),
      line`To make it: ${text === null ? 'send it again without --dry-run.' : code(text)}`,
    ),
    ...wildWarning(grant.scope),
  ];
}
