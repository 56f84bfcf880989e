-- How a call was really answered and billed: by which model, why it ended, and what the provider charged.

ALTER TABLE calls ADD COLUMN served_model VARCHAR;
ALTER TABLE calls ADD COLUMN finish_reason VARCHAR;
ALTER TABLE calls ADD COLUMN provider_cost_usd DECIMAL(18, 10);
ALTER TABLE calls ADD COLUMN served_terms JSON;
