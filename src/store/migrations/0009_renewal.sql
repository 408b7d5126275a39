-- What the CA has said of the renewal of a domain's certificate, as JSON; for the present one alone.
CREATE TABLE renewal (
  domain_id BIGINT PRIMARY KEY REFERENCES domain (id),
  serial TEXT NOT NULL,
  body TEXT NOT NULL
);
