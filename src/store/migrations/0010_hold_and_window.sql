-- Until when nothing is begun for a domain by itself, and when something may be; as in the inventory.
ALTER TABLE domain ADD COLUMN hold TEXT NOT NULL DEFAULT '';

ALTER TABLE domain ADD COLUMN maintenance_window TEXT NOT NULL DEFAULT '';
