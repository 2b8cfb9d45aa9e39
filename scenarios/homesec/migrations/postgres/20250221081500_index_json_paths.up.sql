-- The dashboard filters by camera, by upload state and by unfinished alerts.
CREATE INDEX ix_clip_states_camera ON clip_states ((data ->> 'camera_name'));
CREATE INDEX ix_clip_states_upload_state ON clip_states ((data #>> '{upload,state}'));
CREATE INDEX ix_clip_states_failed ON clip_states (updated_at) WHERE (data ->> 'status') = 'failed';
CREATE INDEX ix_clip_events_error_code ON clip_events (event_type, (event_data -> 'error' ->> 'code'));
