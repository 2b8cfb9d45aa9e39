DROP TABLE clip_states;
