import type { MessageBody } from '../../domain/message.ts';
import type { Incident } from '../../domain/incident.ts';
import { code, line, paragraph, spaced, strong } from '../build.ts';
import type { Document, Inline, Line } from '../document.ts';
import { shortDuration, utc } from '../time.ts';

/** To the control room or an admin: something is wrong with the service, or was resolved. */
export function incidentMessage(body: Extract<MessageBody, { kind: 'trouble' }>, now: number): Document {
  if (body.overAt === null) return [paragraph([strong(body.sentence)]), paragraph(withCode(body.next))];
  const lasted = shortDuration(Math.max(1_000, body.overAt - body.since));
  return [
    paragraph(
      spaced(
        line`${strong('Mended')}, after ${lasted} (from ${utc(body.since, now)}): “${body.sentence}”`,
        [missed(body.trouble)].filter((text) => text !== ''),
      ),
    ),
  ];
}

/** One line of `!status`. */
export function incidentLine({ sentence, next }: Pick<Incident, 'sentence' | 'next'>): Line {
  return spaced([strong(sentence)], withCode(next));
}

function missed(kind: Incident['kind']): string {
  if (kind === 'bot-logged-out' || kind === 'bot-stopped')
    return 'Commands that were not answered meanwhile: send them again.';
  return kind === 'control-room-lost' ? 'What was said here meanwhile I did not hear.' : '';
}

/** What stands in backticks is to be copied. */
function withCode(text: string): Line {
  const pieces = text.split('`').map((piece, index): Inline => (index % 2 === 1 ? code(piece) : piece));
  return pieces.filter((piece) => piece !== '');
}
