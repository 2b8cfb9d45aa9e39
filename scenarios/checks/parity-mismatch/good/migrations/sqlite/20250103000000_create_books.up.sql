CREATE TABLE shelves (
    room TEXT NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_shelves PRIMARY KEY (room, number)
);

CREATE TABLE books (
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    room TEXT,
    shelf INTEGER,
    place INTEGER,
    CONSTRAINT pk_books PRIMARY KEY (id),
    CONSTRAINT uq_books_title UNIQUE (title),
    CONSTRAINT fk_books_shelves FOREIGN KEY (room, shelf) REFERENCES shelves (room, number),
    CONSTRAINT ck_books_shelf CHECK ((room IS NULL) = (shelf IS NULL))
);

CREATE INDEX ix_books_place ON books (place);
