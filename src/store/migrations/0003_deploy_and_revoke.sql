-- What a request says besides its kind, as JSON.
ALTER TABLE request ADD COLUMN arguments TEXT NOT NULL DEFAULT '{}';

-- 1 from the moment that a revocation is wanted until the CA has confirmed it.
ALTER TABLE certificate ADD COLUMN revoking INTEGER NOT NULL DEFAULT 0;

CREATE INDEX certificate_revoking ON certificate (id) WHERE revoking = 1;

-- Private keys that somebody else may have: SHA-256 of the public half. None is ever used again.
CREATE TABLE compromised_key (
  hash TEXT PRIMARY KEY,
  since BIGINT NOT NULL
);

CREATE INDEX issuance_domain ON issuance (domain_id, id);
