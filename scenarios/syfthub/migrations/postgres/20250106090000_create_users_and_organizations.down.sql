SET LOCAL lock_timeout = '5s';

DROP TABLE organizations;
DROP TABLE users;
