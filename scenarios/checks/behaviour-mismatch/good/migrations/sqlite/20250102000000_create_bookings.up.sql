CREATE TABLE rooms (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_rooms PRIMARY KEY (id),
    CONSTRAINT uq_rooms_name UNIQUE (name)
);

CREATE TABLE bookings (
    id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    code TEXT NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    CONSTRAINT pk_bookings PRIMARY KEY (id),
    CONSTRAINT fk_bookings_rooms FOREIGN KEY (room_id) REFERENCES rooms (id) DEFERRABLE,
    CONSTRAINT ck_bookings_dates CHECK (starts_on < ends_on)
);

CREATE UNIQUE INDEX ux_bookings_code ON bookings (code) WHERE substr(code, 1, 1) = 'A';

CREATE TRIGGER tr_bookings_overlap_insert BEFORE INSERT ON bookings
WHEN EXISTS (
    SELECT 1 FROM bookings
    WHERE id <> NEW.id AND starts_on < NEW.ends_on AND NEW.starts_on < ends_on
)
BEGIN
    SELECT RAISE(ABORT, 'another booking has some of these days');
END;

CREATE TRIGGER tr_bookings_overlap_update BEFORE UPDATE ON bookings
WHEN EXISTS (
    SELECT 1 FROM bookings
    WHERE id <> NEW.id AND starts_on < NEW.ends_on AND NEW.starts_on < ends_on
)
BEGIN
    SELECT RAISE(ABORT, 'another booking has some of these days');
END;
