-- Tags that an event tells before its request is there.

ALTER TABLE waiting_facts ADD COLUMN tags JSON;
