-- Times are microseconds since 1970 in UTC; lists and maps are JSON; $identity$ is the database's
-- way to spell a primary key that counts by itself. A statement ends with its line.

CREATE TABLE domain (
  id $identity$,
  name TEXT NOT NULL UNIQUE,
  names TEXT NOT NULL,
  zone_id TEXT NOT NULL,
  ca TEXT NOT NULL,
  dns TEXT NOT NULL,
  vault TEXT NOT NULL,
  targets TEXT NOT NULL,
  key_choice TEXT NOT NULL,
  profile TEXT NOT NULL,
  endpoints TEXT NOT NULL,
  owner TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  failures INTEGER NOT NULL,
  next_at BIGINT,
  last_error TEXT
);

CREATE TABLE certificate (
  id $identity$,
  domain_id BIGINT NOT NULL REFERENCES domain (id),
  serial TEXT NOT NULL,
  is_current INTEGER NOT NULL,
  not_before BIGINT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (domain_id, serial)
);

CREATE UNIQUE INDEX certificate_current ON certificate (domain_id) WHERE is_current = 1;

CREATE TABLE issuance (
  id $identity$,
  domain_id BIGINT NOT NULL REFERENCES domain (id),
  revision BIGINT NOT NULL,
  step TEXT NOT NULL,
  active INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  order_url TEXT NOT NULL,
  body TEXT NOT NULL
);

CREATE UNIQUE INDEX issuance_active ON issuance (domain_id) WHERE active = 1;

CREATE INDEX issuance_order ON issuance (order_url);

-- No reference to issuance: whatever was sent must be remembered, come what may.
CREATE TABLE txt_record (
  dns TEXT NOT NULL,
  zone TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  issuance BIGINT NOT NULL,
  PRIMARY KEY (dns, zone, name, value, issuance)
);

CREATE INDEX txt_record_value ON txt_record (name, value);

CREATE TABLE account (
  ca TEXT PRIMARY KEY,
  directory TEXT NOT NULL,
  key_type TEXT NOT NULL,
  sealed_key TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  url TEXT NOT NULL,
  status TEXT NOT NULL,
  contact TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE event (
  number $identity$,
  at BIGINT NOT NULL,
  domain TEXT NOT NULL,
  event TEXT NOT NULL,
  detail TEXT NOT NULL
);

CREATE INDEX event_domain ON event (domain, number);

CREATE TABLE request (
  id $identity$,
  batch TEXT NOT NULL,
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  domain_id BIGINT NOT NULL REFERENCES domain (id),
  requested_at BIGINT NOT NULL,
  done_at BIGINT,
  result TEXT NOT NULL
);

CREATE INDEX request_batch ON request (batch, id);

CREATE INDEX request_open ON request (id) WHERE done_at IS NULL;

-- One row at most.
CREATE TABLE lease (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
