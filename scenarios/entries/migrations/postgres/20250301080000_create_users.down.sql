-- Intent: take users away again.
-- Risk: its rows are lost; export them first where they matter.

DROP TABLE users;
