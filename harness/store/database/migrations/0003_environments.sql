-- One spelling of an environment: rows from logs said `Production` or ` production `, and no rule met them.

UPDATE runs SET environment = lower(trim(environment)) WHERE environment <> lower(trim(environment));
UPDATE requests SET environment = lower(trim(environment)) WHERE environment <> lower(trim(environment));
UPDATE events SET environment = lower(trim(environment)) WHERE environment <> lower(trim(environment));
UPDATE waiting_facts SET environment = lower(trim(environment)) WHERE environment <> lower(trim(environment));
