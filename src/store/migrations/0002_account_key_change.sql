-- The key that a rotation has begun to put in place of the account's own one; empty when none has.
ALTER TABLE account ADD COLUMN next_key_type TEXT NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN next_sealed_key TEXT NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN next_thumbprint TEXT NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Whose order it is, and with which key its challenge values were computed; empty when not known.
ALTER TABLE issuance ADD COLUMN account_url TEXT NOT NULL DEFAULT '';

ALTER TABLE issuance ADD COLUMN account_thumbprint TEXT NOT NULL DEFAULT '';
