-- When each value was last about to be sent. One from before may have been sent at any time.
ALTER TABLE txt_record ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0;
