DROP TABLE organizations;
DROP TABLE users;
