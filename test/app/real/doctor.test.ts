import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../src/app/doctor/report.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';

const stage = await doctorStage(sharedSynapse());
const { mintwarden, config, look, broken, fixed, run } = stage;

afterAll(() => stage[Symbol.asyncDispose]());

describe('before the first start', () => {
  test('nothing must be fixed, and what comes with the first start is said', async () => {
    const findings = await look();
    const bad = findings
      .filter(({ severity }) => severity !== 'ok')
      .map(({ id, severity }) => `${severity} ${id}`);
    expect(bad).toEqual([
      'warn sealing-key',
      'warn control-room-admins',
      'warn bot-device',
      'warn ledger',
      'warn service',
    ]);
    expect(JSON.stringify(findings)).not.toContain((await config()).issuer.access_token);
  });
});

describe('beside the running service', () => {
  beforeAll(() => stage.start());

  test('all is well, for people and for scripts', async () => {
    const { status, output } = await mintwarden.command('doctor');
    expect(output).toMatch(/Nothing must be fixed; 0 to look at; \d\d well\./);
    expect(status).toBe(0);
    const report = JSON.parse((await mintwarden.command('doctor', '--json', '--strict')).output) as Report;
    expect(report).toMatchObject({ version: 1, worst: 'ok' });
    expect(report.findings.map(({ id }) => id)).toEqual([...new Set(report.findings.map(({ id }) => id))]);
  });

  test('the socket of exec is open to others, or gone', async () => {
    const socket = join(mintwarden.dir, 'state', 'control.sock');
    await chmod(socket, 0o666);
    await run(await broken('control-socket', /Others may open/));
    await fixed('control-socket');
    await rename(socket, `${socket}.aside`);
    expect((await broken('control-socket', /There is no socket/, 'warn')).fix).toMatch(
      /^Restart the service/,
    );
    await mintwarden.stop();
    await mintwarden.start();
    await fixed('control-socket');
    await rm(`${socket}.aside`, { force: true });
  });
});
