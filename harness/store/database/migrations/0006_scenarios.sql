-- What scenarios of one's own tell: the first byte, tags, the target's own id, where a cost comes from or why
-- there is none, and whether gaps stand between tokens or between chunks.

ALTER TABLE requests ADD COLUMN ttfb_ms DOUBLE;
ALTER TABLE requests ADD COLUMN itl_per VARCHAR;
ALTER TABLE requests ADD COLUMN cost_source VARCHAR;
ALTER TABLE requests ADD COLUMN unpriced_because VARCHAR;
ALTER TABLE requests ADD COLUMN answer_id VARCHAR;
ALTER TABLE requests ADD COLUMN tags JSON;
