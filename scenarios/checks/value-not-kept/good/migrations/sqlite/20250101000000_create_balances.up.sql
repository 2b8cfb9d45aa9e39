CREATE TABLE balances (
    account TEXT NOT NULL CONSTRAINT pk_balances PRIMARY KEY,
    amount NUMERIC(12, 2) NOT NULL
);
