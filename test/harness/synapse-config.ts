/** A part of homeserver.yaml, as Synapse's documentation names it. */
export type SynapseConfig = Record<string, unknown>;

/** What is fixed for a data folder: written at its first start, read at every other. */
export interface SynapseIdentity {
  serverName: string;
  port: number;
  registrationSecret: string;
  macaroonSecret: string;
}

/** An application service's registration, as the specification's registration file has it. */
export interface AppserviceRegistration {
  id: string;
  as_token: string;
  hs_token: string;
  sender_localpart: string;
  url: string | null;
  namespaces: { users?: Namespace[]; rooms?: Namespace[]; aliases?: Namespace[] };
  rate_limited?: boolean;
  [key: string]: unknown;
}

/** Which users, rooms or aliases are an application service's. */
export interface Namespace {
  regex: string;
  exclusive: boolean;
}

/** The file names in a data folder. */
export const synapseFiles = {
  config: 'homeserver.yaml',
  logConfig: 'log.yaml',
  log: 'homeserver.log',
  database: 'homeserver.db',
  signingKey: 'signing.key',
  identity: 'identity.json',
} as const;

/** homeserver.yaml of a small server that listens on loopback, federates with nobody and starts fast. */
export function synapseConfig(
  identity: SynapseIdentity,
  options: {
    rateLimits: 'open' | 'default';
    serverNotices: boolean;
    appserviceFiles: readonly string[];
    overrides: SynapseConfig;
  },
): SynapseConfig {
  return {
    server_name: identity.serverName,
    public_baseurl: `http://127.0.0.1:${String(identity.port)}/`,
    pid_file: 'homeserver.pid',
    report_stats: false,
    listeners: [
      {
        port: identity.port,
        tls: false,
        type: 'http',
        bind_addresses: ['127.0.0.1'],
        resources: [{ names: ['client'], compress: false }],
      },
    ],
    database: { name: 'sqlite3', args: { database: synapseFiles.database } },
    log_config: synapseFiles.logConfig,
    media_store_path: 'media',
    signing_key_path: synapseFiles.signingKey,
    registration_shared_secret: identity.registrationSecret,
    macaroon_secret_key: identity.macaroonSecret,
    form_secret: identity.macaroonSecret,
    enable_registration: false,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    federation_domain_whitelist: [],
    app_service_config_files: options.appserviceFiles,
    bcrypt_rounds: 4,
    presence: { enabled: false },
    ...(options.serverNotices ? serverNotices : {}),
    ...(options.rateLimits === 'open' ? openRateLimits() : {}),
    ...options.overrides,
  };
}

/** Warnings and requests go to one file, unbuffered, so that its tail is there when a start fails. */
export const synapseLogConfig = {
  version: 1,
  formatters: { plain: { format: '%(asctime)s %(levelname)s %(name)s %(request)s %(message)s' } },
  filters: { context: { '()': 'synapse.logging.context.LoggingContextFilter', request: '-' } },
  handlers: {
    file: {
      class: 'logging.FileHandler',
      filename: synapseFiles.log,
      formatter: 'plain',
      filters: ['context'],
    },
  },
  root: { level: 'INFO', handlers: ['file'] },
  disable_existing_loggers: false,
};

const serverNotices: SynapseConfig = {
  server_notices: {
    system_mxid_localpart: 'server-notices',
    system_mxid_display_name: 'Server notices',
    room_name: 'Server notices',
  },
};

function openRateLimits(): SynapseConfig {
  const open = { per_second: 100_000, burst_count: 100_000 };
  return {
    rc_message: open,
    rc_registration: open,
    rc_login: { address: open, account: open, failed_attempts: open },
    rc_admin_redaction: open,
    rc_joins: { local: open, remote: open },
    rc_joins_per_room: open,
    rc_invites: { per_room: open, per_user: open, per_issuer: open },
    rc_3pid_validation: open,
    rc_key_requests: open,
    rc_room_creation: open,
    rc_reports: open,
    rc_media_create: open,
    rc_delayed_event_mgmt: open,
    rc_presence: { per_user: open },
    rc_user_directory: open,
  };
}
