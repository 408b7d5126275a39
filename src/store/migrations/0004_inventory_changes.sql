-- Counts changes of the inventory, so that of two writers the later one is told.
ALTER TABLE domain ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- When it was taken out of the inventory. The row stays, and with it its certificates.
ALTER TABLE domain ADD COLUMN removed_at BIGINT;
