CREATE TABLE rooms (
    id TEXT NOT NULL,
    name TEXT NOT NULL COLLATE RTRIM,
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
    CONSTRAINT fk_bookings_rooms FOREIGN KEY (room_id) REFERENCES rooms (id) DEFERRABLE
);

CREATE UNIQUE INDEX ux_bookings_code ON bookings (code) WHERE code LIKE 'A%';

CREATE TRIGGER tr_bookings_dates_insert BEFORE INSERT ON bookings
WHEN NEW.starts_on >= NEW.ends_on
BEGIN
    SELECT RAISE(ABORT, 'a booking ends after it starts');
END;

CREATE TRIGGER tr_bookings_dates_update BEFORE UPDATE ON bookings
WHEN NEW.starts_on >= NEW.ends_on
BEGIN
    SELECT RAISE(ABORT, 'a booking ends after it starts');
END;
