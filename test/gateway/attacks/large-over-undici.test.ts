import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { grantDesk } from '../support/grant-desk.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { recordingHomeserver } from '../support/recording-homeserver.ts';
import { startTestGateway } from '../support/test-gateway.ts';

const EVENT = {
  type: 'x',
  sender: '@a:b',
  room_id: OPS,
  state_key: '',
  content: { body: 'x'.repeat(32_000) },
};

test('large answers take turns over undici too: resumed inside another response, it would end the process', async () => {
  await using homeserver = await recordingHomeserver();
  const body = JSON.stringify(Array.from({ length: 30 }, (_, at) => ({ ...EVENT, event_id: `$${at}` })));
  homeserver.answer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  const desk = grantDesk('syt_upstream');
  desk.add('mwt_one', { grant: grantOf([OPS], { id: '8F3K9Q' as GrantId }), rooms: new Set([OPS]) });
  const gateway = await startTestGateway({
    transport: 'undici',
    homeserverUrl: homeserver.url,
    accessControl: desk,
  });
  const url = `http://127.0.0.1:${gateway.port}/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/state`;
  const ask = async (): Promise<number> => {
    const response = await fetch(url, { headers: { authorization: 'Bearer mwt_one' } });
    return response.ok ? ((await response.json()) as unknown[]).length : response.status;
  };
  expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual(Array.from({ length: 8 }, () => 30));
  await gateway.close();
});
