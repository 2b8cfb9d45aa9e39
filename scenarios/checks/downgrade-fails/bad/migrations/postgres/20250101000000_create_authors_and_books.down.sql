DROP TABLE authors;
DROP TABLE books;
