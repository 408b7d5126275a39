-- What a person has to know, from when it begins until it is over; rows stay, like events.
CREATE TABLE alarm (
  id $identity$,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  ca TEXT NOT NULL,
  since BIGINT NOT NULL,
  detail TEXT NOT NULL,
  cleared_at BIGINT,
  ending TEXT NOT NULL
);

-- One of a kind at a time: of two who raise it, one has done so.
CREATE UNIQUE INDEX alarm_standing ON alarm (kind, domain, ca) WHERE cleared_at IS NULL;

-- What notifiers have still to be told. A row goes when it was told, or given up.
CREATE TABLE notification (
  id $identity$,
  notifier TEXT NOT NULL,
  alarm BIGINT NOT NULL REFERENCES alarm (id),
  is_over INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  failing_since BIGINT,
  next_at BIGINT NOT NULL
);

CREATE INDEX notification_notifier ON notification (notifier, id);
