-- Intent: take attachments away again.
-- Risk: its rows are lost; export them first where they matter.

DROP TABLE attachments;
