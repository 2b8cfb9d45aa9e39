CREATE TABLE coupons (
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    CONSTRAINT pk_coupons PRIMARY KEY (id),
    CONSTRAINT ck_coupons_code CHECK (substr(code, 1, 1) = 'A')
);
