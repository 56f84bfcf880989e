-- What was mended or left out to get at a call's tokens, or why they are unknown though they were told.

ALTER TABLE calls ADD COLUMN usage_remark VARCHAR;
