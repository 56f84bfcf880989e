-- When the answer began (its first token may be thinking), and how many pieces of a stream were timed.

ALTER TABLE requests ADD COLUMN first_answer_ms DOUBLE;
ALTER TABLE requests ADD COLUMN stream_chunks INTEGER;
ALTER TABLE calls ADD COLUMN first_answer_ms DOUBLE;
