DELETE FROM settings WHERE name = 'default_theme';
DROP TABLE themes;
