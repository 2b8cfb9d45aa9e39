DROP INDEX ix_clip_events_error_code;
DROP INDEX ix_clip_states_failed;
DROP INDEX ix_clip_states_upload_state;
DROP INDEX ix_clip_states_camera;
