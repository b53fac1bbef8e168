import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { newGrantId } from '../../src/domain/grant-id.ts';
import { newToken } from '../../src/domain/token.ts';
import { runCommand } from '../harness/run-command.ts';

/* The examples in config/: what can be held to the program without the programs they are for. nginx's runs in test/e2e. */

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
const TOKEN = newToken(
  newGrantId(0, (count) => Buffer.alloc(count, 7)),
  (count) => Buffer.alloc(count, 9),
);

/** The expressions that tell a scoped token, as they stand in each example. */
async function patterns(): Promise<[string, RegExp][]> {
  const nginx = /"~\*(\^.*?)" 1;/.exec(await read('config/nginx.conf'))?.[1] ?? 'missing';
  const caddy =
    /header_regexp Authorization \(\?i\)(\S+)/.exec(await read('config/Caddyfile'))?.[1] ?? 'missing';
  const traefik =
    /HeaderRegexp\(`Authorization`, `\(\?i\)(.+?)`\)/.exec(await read('config/traefik.yaml'))?.[1] ??
    'missing';
  const labels =
    /HeaderRegexp\(`Authorization`, `\(\?i\)(.+?)`\)/.exec(await read('docs/running.md'))?.[1] ?? 'missing';
  return [
    ['nginx', new RegExp(nginx, 'i')],
    ['Caddy', new RegExp(caddy, 'i')],
    ['Traefik', new RegExp(traefik, 'i')],
    ['Traefik’s labels', new RegExp(labels, 'i')],
  ];
}

describe.each(await patterns())('%s', (_, pattern) => {
  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER\t${TOKEN}`, `Bearer   ${TOKEN}`])(
    'sends %j to the gateway',
    (header) => {
      expect(pattern.test(header)).toBe(true);
    },
  );
  test.each([
    'Bearer syt_YWxpY2U_mwt_abc',
    'Bearer mct_abc_def',
    'X-Matrix origin="mwt_x",key="a"',
    'Bearer xmwt_a',
    '',
    'Basic bXd0Xw==',
  ])('leaves %j to the homeserver', (header) => {
    expect(pattern.test(header)).toBe(false);
  });
});

type Compose = {
  readonly services: Record<
    string,
    {
      volumes?: string[];
      networks: string[] | Record<string, unknown>;
      environment: Record<string, string>;
      ports?: string[];
      build?: string;
    }
  >;
  readonly volumes: Record<string, null>;
  readonly networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } } | null>;
};

const networksOf = (service: Compose['services'][string] | undefined): string[] => {
  const networks = service?.networks ?? [];
  return Array.isArray(networks) ? networks : Object.keys(networks);
};

describe('compose.yaml', async () => {
  const compose = parse(await read('config/compose.yaml')) as Compose;
  const mintwarden = compose.services['mintwarden'];

  test('names what there is', async () => {
    for (const service of Object.values(compose.services)) {
      for (const network of networksOf(service)) expect(Object.keys(compose.networks)).toContain(network);
      for (const volume of (service.volumes ?? []).map((v) => v.split(':')[0] ?? '')) {
        if (volume.startsWith('./')) expect(await read(join('config', volume))).not.toBe('');
        else expect(Object.keys(compose.volumes)).toContain(volume);
      }
    }
    expect(mintwarden?.build).toBe('..');
    expect(await read('config/Caddyfile')).toContain('{$MINTWARDEN:127.0.0.1:8009}');
  });

  test('gives Mintwarden no way out, no right and no secret in the open', () => {
    expect(mintwarden).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(mintwarden?.ports).toBeUndefined();
    for (const network of networksOf(mintwarden)) expect(compose.networks[network]?.internal).toBe(true);
    expect(compose.services['synapse']?.ports).toBeUndefined();
    expect(
      Object.keys(mintwarden?.environment ?? {}).filter((name) => /TOKEN|PASSWORD|KEY/.test(name)),
    ).toEqual([]);
  });

  test('trusts the network that the proxy and the gateway share, and no other', () => {
    const trusted = mintwarden?.environment['MINTWARDEN_GATEWAY_TRUSTED_PROXIES'];
    expect(compose.networks['gateway']?.ipam?.config).toEqual([{ subnet: trusted }]);
    const others = Object.entries(compose.services).filter(([, service]) =>
      networksOf(service).includes('gateway'),
    );
    expect(others.map(([name]) => name).toSorted()).toEqual(['caddy', 'mintwarden']);
  });
});

describe('the unit of systemd', async () => {
  const unit = await read('config/mintwarden.service');
  const credentials = await read('config/mintwarden-credentials.conf');
  const { bin } = JSON.parse(await read('package.json')) as { bin: Record<string, string> };

  test('starts what the package holds, and reloads as the program does', () => {
    expect(unit).toContain(
      `/opt/mintwarden/node_modules/mintwarden/${bin['mintwarden'] ?? ''} start --config /var/lib/mintwarden/bot.yaml`,
    );
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=/m);
  });

  test('hands in secrets under names that the configuration knows', async () => {
    const known = await read('docs/configuration.md');
    const given = [...credentials.matchAll(/^Environment=(\w+)=%d\/(.+)$/gm)].map(([, name, file]) => ({
      name: name ?? '',
      file: file ?? '',
    }));
    expect(given).toHaveLength(4);
    for (const { name, file } of given) {
      expect(known).toContain(`\`${name}\``);
      expect(credentials).toContain(`LoadCredential=${file}:/etc/mintwarden/${file}`);
    }
  });

  test('is understood by systemd, and exposes little', async (context) => {
    if (!(await runCommand('systemd-analyze', ['--version'])).ok) context.skip('systemd is not here');
    const dir = await mkdtemp(join(tmpdir(), 'mintwarden-unit-'));
    const file = join(dir, 'mintwarden.service');
    // The program and its user need not be here.
    await writeFile(file, unit.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/sh'));
    await mkdir(`${file}.d`);
    await writeFile(join(`${file}.d`, 'credentials.conf'), credentials);
    try {
      const said = (await runCommand('systemd-analyze', ['verify', file])).output.filter((line) =>
        line.includes(file),
      );
      expect(said).toEqual([]);
      const { output } = await runCommand('systemd-analyze', [
        'security',
        '--offline=yes',
        '--no-pager',
        file,
      ]);
      expect(
        Number(/exposure level for mintwarden\.service: ([\d.]+)/.exec(output.join('\n'))?.[1]),
      ).toBeLessThan(1.5);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

test('whatever the pages and examples name is in the package', async () => {
  const { files } = JSON.parse(await read('package.json')) as { files: string[] };
  const page = await read('docs/running.md');
  const named = [...page.matchAll(/\]\(\.\.\/(config\/[\w.-]+|[\w.-]+)\)/g)].map(([, path]) => path ?? '');
  expect(named).toEqual(
    expect.arrayContaining([
      'config/nginx.conf',
      'config/Caddyfile',
      'config/traefik.yaml',
      'config/compose.yaml',
      'config/mintwarden.service',
    ]),
  );
  for (const path of named) {
    expect(await read(path)).not.toBe('');
    const shipped = files.some((file) => path === file || path.startsWith(`${file}/`));
    expect([path, shipped || path === 'Dockerfile']).toEqual([path, true]);
  }
});
