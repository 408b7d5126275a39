-- Until when the other side has said that nothing is left of an allowance.
ALTER TABLE budget ADD COLUMN closed_until BIGINT NOT NULL DEFAULT 0;
