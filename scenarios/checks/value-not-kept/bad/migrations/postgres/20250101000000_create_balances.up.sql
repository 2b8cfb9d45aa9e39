CREATE TABLE balances (
    account TEXT NOT NULL CONSTRAINT pk_balances PRIMARY KEY,
    amount NUMERIC(38, 10) NOT NULL
);
