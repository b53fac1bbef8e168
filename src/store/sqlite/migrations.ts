import { CHAIN_START } from '../../domain/audit.ts';

/** Marks the file as ours (`PRAGMA application_id`): "Mint" in ASCII. */
export const APPLICATION_ID = 0x4d696e74;

/**
 * The way from an empty file to today's tables, one step for each version; a step is never changed once
 * released, only followed by another. `user_version` says how many were taken.
 *
 * `n` is the order of writing. `next_action_at` is the queue: the row is the job. Triggers hold what no
 * code of ours may do by mistake either: change or remove audit rows and commands, bring a grant back.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE grants (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    subject TEXT NOT NULL,
    minter TEXT NOT NULL,
    recipient TEXT NOT NULL,
    scope TEXT NOT NULL,
    rooms TEXT NOT NULL,
    reason TEXT,
    ttl_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    suspended INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT,
    end_cause TEXT,
    failure TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    sealed_token TEXT,
    delivery TEXT NOT NULL,
    command TEXT,
    next_action_at INTEGER
  ) STRICT;
  CREATE INDEX grants_due ON grants (next_action_at, n) WHERE next_action_at IS NOT NULL;
  CREATE INDEX grants_subject ON grants (subject, created_at);
  CREATE INDEX grants_minter ON grants (minter, created_at);
  CREATE INDEX grants_state ON grants (state, created_at);
  CREATE INDEX grants_created ON grants (created_at);
  CREATE TRIGGER grants_over BEFORE UPDATE ON grants
    WHEN OLD.state IN ('ended', 'failed') AND NEW.state <> OLD.state
    BEGIN SELECT RAISE(ABORT, 'a grant that is over stays over'); END;
  CREATE TRIGGER grants_subject_pinned BEFORE UPDATE ON grants WHEN NEW.subject <> OLD.subject
    BEGIN SELECT RAISE(ABORT, 'a grant keeps its subject'); END;
  CREATE TRIGGER grants_kept BEFORE DELETE ON grants
    BEGIN SELECT RAISE(ABORT, 'a grant is never deleted'); END;

  CREATE TABLE leases (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    grant_id TEXT NOT NULL REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    sealed TEXT,
    attempts INTEGER NOT NULL,
    last_problem TEXT,
    next_action_at INTEGER
  ) STRICT;
  CREATE INDEX leases_due ON leases (next_action_at, n) WHERE next_action_at IS NOT NULL;
  CREATE INDEX leases_grant ON leases (grant_id, created_at);
  CREATE INDEX leases_state ON leases (state);

  CREATE TABLE messages (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    grant_id TEXT REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
    destination TEXT NOT NULL,
    body TEXT NOT NULL,
    after_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    state TEXT NOT NULL,
    channel TEXT,
    created_at INTEGER NOT NULL,
    first_tried_at INTEGER,
    tried_by TEXT,
    attempts INTEGER NOT NULL,
    last_problem TEXT,
    give_up_at INTEGER,
    next_action_at INTEGER,
    room_id TEXT,
    event_id TEXT,
    accepted_at INTEGER,
    redact_at INTEGER,
    redacted_at INTEGER
  ) STRICT;
  CREATE INDEX messages_due ON messages (next_action_at, n) WHERE next_action_at IS NOT NULL;
  CREATE INDEX messages_grant ON messages (grant_id, created_at);
  CREATE INDEX messages_after ON messages (after_id) WHERE after_id IS NOT NULL;
  CREATE INDEX messages_waiting ON messages (state) WHERE state = 'waiting';

  CREATE TABLE commands (
    event_id TEXT PRIMARY KEY,
    sender TEXT NOT NULL,
    session_id TEXT,
    message_index INTEGER,
    at INTEGER NOT NULL,
    UNIQUE (session_id, message_index)
  ) STRICT;
  CREATE TRIGGER commands_kept BEFORE DELETE ON commands BEGIN SELECT RAISE(ABORT, 'commands are never forgotten'); END;
  CREATE TRIGGER commands_unchanged BEFORE UPDATE ON commands BEGIN SELECT RAISE(ABORT, 'commands are never changed'); END;

  CREATE TABLE excluded_rooms (
    n INTEGER PRIMARY KEY,
    room_id TEXT NOT NULL UNIQUE,
    why TEXT NOT NULL,
    user_id TEXT
  ) STRICT;

  CREATE TABLE pins (
    user_id TEXT PRIMARY KEY,
    master_key TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

  -- Where the chain stands, kept apart from its rows: rows cut off at the end leave a gap that shows.
  CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, '${CHAIN_START}');
  `,
  // The writes of grants, by the holder's transaction id. No content, only a digest.
  `
  CREATE TABLE transactions (
    grant_id TEXT NOT NULL REFERENCES grants (id),
    room_id TEXT NOT NULL,
    deed TEXT NOT NULL,
    txn_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    lease_id TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    event_id TEXT,
    PRIMARY KEY (grant_id, room_id, deed, txn_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER transactions_sent BEFORE UPDATE ON transactions WHEN OLD.event_id IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'what was sent stays sent'); END;
  `,
  // How many requests were made with grants that are good for so many.
  `
  CREATE TABLE uses (
    grant_id TEXT PRIMARY KEY REFERENCES grants (id),
    used INTEGER NOT NULL CHECK (used > 0)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER uses_grow BEFORE UPDATE ON uses WHEN NEW.used <= OLD.used OR NEW.grant_id <> OLD.grant_id
    BEGIN SELECT RAISE(ABORT, 'what was used stays used'); END;
  CREATE TRIGGER uses_kept BEFORE DELETE ON uses BEGIN SELECT RAISE(ABORT, 'what was used stays used'); END;
  `,
  // Which history this is, what was last said of it in the control room, and the latest moment that was seen.
  `
  CREATE TABLE anchorage (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    held TEXT,
    posted TEXT,
    latest_seen INTEGER NOT NULL
  ) STRICT;
  INSERT INTO anchorage (one, generation, held, posted, latest_seen) VALUES (1, 1, NULL, NULL, 0);
  CREATE TRIGGER anchorage_grows BEFORE UPDATE ON anchorage WHEN NEW.generation < OLD.generation
    BEGIN SELECT RAISE(ABORT, 'a history is never gone back to'); END;
  CREATE TRIGGER anchorage_kept BEFORE DELETE ON anchorage BEGIN SELECT RAISE(ABORT, 'a history is never forgotten'); END;
  `,
];
