-- The identity stays: it must be the same when this revision is applied again.
DROP INDEX ix_settings_value;
