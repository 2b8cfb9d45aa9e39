DROP INDEX ix_logs_level;
