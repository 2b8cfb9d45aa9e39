-- An installation that has its identity keeps its settings.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM settings WHERE name = 'installation_id') THEN
        DROP TABLE settings;
    END IF;
END
$$;
