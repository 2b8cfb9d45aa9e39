-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
CREATE TABLE invoices_new (
    id INTEGER NOT NULL CONSTRAINT pk_invoices PRIMARY KEY AUTOINCREMENT,
    total INTEGER NOT NULL
);
INSERT INTO invoices_new (id, total) SELECT id, total FROM invoices;
DROP TABLE invoices;
ALTER TABLE invoices_new RENAME TO invoices;
