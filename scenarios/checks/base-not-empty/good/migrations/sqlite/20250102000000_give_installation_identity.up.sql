CREATE INDEX ix_settings_value ON settings (value);

INSERT INTO settings (name, value) VALUES ('installation_id', 'unregistered')
ON CONFLICT (name) DO NOTHING;
