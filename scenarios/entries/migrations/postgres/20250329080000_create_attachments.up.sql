-- Intent: attachments, which go when their entry goes (CASCADE).
-- Risk: none, a new table holds no rows and no release knows it.

CREATE TABLE attachments (
    id UUID NOT NULL,
    entry_id UUID NOT NULL,
    file_name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    details JSONB,
    CONSTRAINT pk_attachments PRIMARY KEY (id),
    CONSTRAINT uq_attachments_entry_id_file_name UNIQUE (entry_id, file_name),
    CONSTRAINT fk_attachments_entry_id FOREIGN KEY (entry_id) REFERENCES entries (id) ON DELETE CASCADE,
    CONSTRAINT ck_attachments_size_bytes CHECK (size_bytes >= 0)
);
