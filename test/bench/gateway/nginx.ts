import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../harness/free-port.ts';
import { ANSWERS, SYNC_PATH } from './answers.ts';
import { type Pinned, MEASURED_CORE, OTHER_CORE, startCommand } from './pinned.ts';
import type { Tools } from './tools.ts';

/**
 * An upstream of static answers. `/auth`: whatever is asked may pass, decided at no cost to the proxy's core.
 */
export async function nginxUpstream(tools: Tools, folder: string): Promise<Pinned> {
  const locations: string[] = [`location = /auth { return 204; }`];
  for (const [path, make] of Object.entries(ANSWERS)) {
    const decoded = decodeURIComponent(path);
    if (path === SYNC_PATH) {
      await writeFile(join(folder, 'sync.json'), make());
      locations.push(
        `location = ${decoded} { default_type application/json; alias ${join(folder, 'sync.json')}; }`,
      );
    } else
      locations.push(
        `location = ${decoded} { default_type application/json; return 200 '${make().replaceAll('$', '${dollar}')}'; }`,
      );
  }
  return start(tools, folder, 'upstream', OTHER_CORE, locations.join('\n'), '');
}

/** nginx as a peer: `proxy_pass` alone, or asked first whether the request may pass. */
export function nginxPeer(
  tools: Tools,
  folder: string,
  upstream: string,
  asksFirst: boolean,
): Promise<Pinned> {
  const backend = `upstream backend { server ${new URL(upstream).host}; keepalive 256; }`;
  const pass = 'proxy_http_version 1.1; proxy_set_header Connection "";';
  const auth = asksFirst
    ? `location = /auth { internal; proxy_pass http://backend/auth; proxy_pass_request_body off; proxy_set_header Content-Length ""; ${pass} }`
    : '';
  const locations = `location / { ${asksFirst ? 'auth_request /auth;' : ''} proxy_pass http://backend; ${pass} }\n${auth}`;
  return start(tools, folder, asksFirst ? 'auth' : 'plain', MEASURED_CORE, locations, backend);
}

async function start(
  tools: Tools,
  folder: string,
  name: string,
  core: number,
  locations: string,
  backend: string,
): Promise<Pinned> {
  const port = await freePort();
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const file = join(own, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${own}/${what};`)
    .join(' ');
  await writeFile(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${own}/pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; ${temporary}
  geo $dollar { default "$"; } # the only way to write one
  ${backend}
  server { listen 127.0.0.1:${String(port)}; server_tokens off; ${locations} }
}
`,
  );
  return startCommand(tools, core, tools.nginx ?? 'nginx', ['-p', own, '-c', file], port);
}
