-- The database of 0.1: a weak well whose alert is open and whose message waits (schema 0007).
BEGIN TRANSACTION;
CREATE TABLE acquisitions (
	id INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	identity VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_acquisitions UNIQUE (source, label, identity), 
	CONSTRAINT uq_acquisition_numbers UNIQUE (source, label, number)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE "alerts" (
	id INTEGER NOT NULL, 
	experiment VARCHAR NOT NULL, 
	plate VARCHAR NOT NULL, 
	well VARCHAR NOT NULL, 
	rule VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	raised_at DATETIME NOT NULL, 
	raised_time_point INTEGER, 
	raised_day DOUBLE, 
	evidence JSON NOT NULL, 
	escalated_at DATETIME, 
	resolved_at DATETIME, 
	resolved_time_point INTEGER, 
	resolved_day DOUBLE, 
	resolution JSON, 
	acked_at DATETIME, 
	snoozed_until DATETIME, 
	PRIMARY KEY (id)
);
INSERT INTO "alerts" VALUES(1,'run 7','p1','A1','weak','weak-now','warning','2026-03-01 09:00:00.000000',1,0.5,'{"now": {"value": 0.06666666666666667, "low": 0.0, "high": 0.1346239171896263}, "trend_per_day": 0.0, "target": 0.5, "cannot_forecast": "held-out runs support a forecast from day 5 on", "silence": "too-early", "points": [{"day": 0.0, "efficiency": 0.06666666666666667, "half_width": 0.06}, {"day": 0.5, "efficiency": 0.06666666666666667, "half_width": 0.06}]}',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE fluorescence (
	frame_id INTEGER NOT NULL, 
	day DOUBLE NOT NULL, 
	acquired_at DATETIME, 
	height_px INTEGER NOT NULL, 
	width_px INTEGER NOT NULL, 
	tile_px INTEGER NOT NULL, 
	noise DOUBLE NOT NULL, 
	maybe BLOB NOT NULL, 
	positive BLOB NOT NULL, 
	histogram BLOB NOT NULL, 
	threshold DOUBLE, 
	efficiency DOUBLE, elapsed_s DOUBLE, 
	PRIMARY KEY (frame_id), 
	FOREIGN KEY(frame_id) REFERENCES frames (id)
);
CREATE TABLE frames (
	id INTEGER NOT NULL, 
	well_id INTEGER NOT NULL, 
	site INTEGER NOT NULL, 
	time_point INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	locator VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	fault VARCHAR, 
	reason VARCHAR, 
	seen_at DATETIME NOT NULL, 
	claimed_at DATETIME NOT NULL, 
	settled_at DATETIME, content VARCHAR DEFAULT '' NOT NULL, judged_under VARCHAR DEFAULT '' NOT NULL, retried BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(well_id) REFERENCES wells (id), 
	CONSTRAINT uq_frames UNIQUE (well_id, channel, time_point, site)
);
INSERT INTO "frames" VALUES(1,1,0,0,'phase','folder','/raw/run 7/p1/A1/s0/t0000/phase.tif','1','done',1,NULL,NULL,'2026-03-01 09:05:00.000000','2026-03-01 09:00:00.000000','2026-03-01 09:00:00.000000','','-/-/-',0);
INSERT INTO "frames" VALUES(2,1,0,1,'phase','folder','/raw/run 7/p1/A1/s0/t0001/phase.tif','1','done',1,NULL,NULL,'2026-03-01 21:05:00.000000','2026-03-01 09:00:00.000000','2026-03-01 09:00:00.000000','','-/-/-',0);
INSERT INTO "frames" VALUES(3,2,0,0,'phase','folder','/raw/run 7/p1/A2/s0/t0000/phase.tif','1','done',1,NULL,NULL,'2026-03-01 09:05:00.000000','2026-03-01 09:00:00.000000','2026-03-01 09:00:00.000000','','-/-/-',0);
CREATE TABLE measured_wells (
	well_id INTEGER NOT NULL, 
	time_point INTEGER NOT NULL, 
	day DOUBLE NOT NULL, 
	efficiency DOUBLE NOT NULL, 
	n_sites INTEGER NOT NULL, 
	measured_at DATETIME NOT NULL, 
	PRIMARY KEY (well_id), 
	FOREIGN KEY(well_id) REFERENCES wells (id)
);
CREATE TABLE "outbox" (
	id INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	alert_id INTEGER, 
	idempotency_key VARCHAR NOT NULL, 
	message JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_try_at DATETIME NOT NULL, 
	done_at DATETIME, 
	abandoned_at DATETIME, 
	last_error VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(alert_id) REFERENCES "alerts" (id), 
	CONSTRAINT uq_outbox UNIQUE (channel, idempotency_key)
);
INSERT INTO "outbox" VALUES(1,'mail',1,'d9c0d0744263ffb8b28fb4f8f8e38c90','{"severity": "warning", "title": "A1: weak now, 7% on day 0.5", "body": "run 7 / p1 / A1 reads 7% on day 0.5, below its target of 50%. Smoothed over its time points it stands at 7% (0% to 13%).\n\nWell: run 7 / p1 / A1\nDay: 0.5, 9.5 days left until day 10\nNow: 7% (0% to 13%)\nTrend: +0.0 points per day\nForecast: none: held-out runs support a forecast from day 5 on\nTarget: 50%\nRule: weak (warning)\n\nWhat to do: Look at the virtual stain and at the well itself: is the phase frame in focus, and do the green tiles lie where you see cardiomyocytes? Is the interval clear of the target, and are its neighbours fine? Then decide: go on, change medium, or stop and start again.", "html": "<div lang=\"en\" style=\"max-width:40em;font:16px/1.5 sans-serif;color:#1b1f24\"><h2 style=\"margin:0 0 .6em;padding:.4em .7em;font-size:1.15em;color:#ffffff;background:#b35c00\">A1: weak now, 7% on day 0.5</h2><p>run 7 / p1 / A1 reads 7% on day 0.5, below its target of 50%. Smoothed over its time points it stands at 7% (0% to 13%).</p><div style=\"margin:0 0 1em\"><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Well:</span> <span>run 7 / p1 / A1</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Day:</span> <span>0.5, 9.5 days left until day 10</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Now:</span> <span>7% (0% to 13%)</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Trend:</span> <span>+0.0 points per day</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Forecast:</span> <span>none: held-out runs support a forecast from day 5 on</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Target:</span> <span>50%</span></p><p style=\"margin:0\"><span style=\"display:inline-block;min-width:9em;color:#57606a\">Rule:</span> <span>weak (warning)</span></p></div><p style=\"padding:.6em .8em;background:#f3f5f7;border-left:4px solid #b35c00\"><strong>What to do:</strong> Look at the virtual stain and at the well itself: is the phase frame in focus, and do the green tiles lie where you see cardiomyocytes? Is the interval clear of the target, and are its neighbours fine? Then decide: go on, change medium, or stop and start again.</p></div>", "attachments": ["run 7/A1/p1_t0001_s0.jpg"], "figures": [{"name": "run 7 / p1 / A1", "points": [{"day": 0.0, "efficiency": 0.06666666666666667, "half_width": 0.06}, {"day": 0.5, "efficiency": 0.06666666666666667, "half_width": 0.06}], "day": 0.5, "now": {"value": 0.06666666666666667, "low": 0.0, "high": 0.1346239171896263}, "final_day": 10.0, "target": 0.5}]}','2026-03-01 09:00:00.000000',0,'2026-03-01 09:00:00.000000',NULL,NULL,NULL);
CREATE TABLE refusals (
	id INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	locator VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	fault VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	seen_at DATETIME NOT NULL, 
	recorded_at DATETIME NOT NULL, judged_under VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_refusals UNIQUE (source, locator)
);
CREATE TABLE results (
	frame_id INTEGER NOT NULL, 
	model_id VARCHAR NOT NULL, 
	acquired_at DATETIME, 
	day DOUBLE NOT NULL, 
	pixel_size_um DOUBLE, 
	view_um_per_px DOUBLE, 
	positive_fraction DOUBLE NOT NULL, 
	efficiency DOUBLE NOT NULL, 
	low DOUBLE NOT NULL, 
	high DOUBLE NOT NULL, 
	corrected BOOLEAN NOT NULL, 
	measures JSON NOT NULL, 
	normalise_ms DOUBLE NOT NULL, 
	score_ms DOUBLE NOT NULL, 
	total_ms DOUBLE NOT NULL, 
	overlay VARCHAR NOT NULL, 
	stain VARCHAR, elapsed_s DOUBLE, 
	PRIMARY KEY (frame_id), 
	FOREIGN KEY(frame_id) REFERENCES frames (id)
);
INSERT INTO "results" VALUES(1,'0123456789ab','2026-03-01 09:00:00.000000',0.0,1.3,1.3,0.1,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,'{"focus": 0.5}',1.0,2.0,3.0,'run 7/A1/p1_t0000_s0.jpg','run 7/A1/p1_t0000_s0_stain.ome.tif',NULL);
INSERT INTO "results" VALUES(2,'0123456789ab','2026-03-01 21:00:00.000000',0.5,1.3,1.3,0.1,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,'{"focus": 0.5}',1.0,2.0,3.0,'run 7/A1/p1_t0001_s0.jpg','run 7/A1/p1_t0001_s0_stain.ome.tif',NULL);
INSERT INTO "results" VALUES(3,'0123456789ab','2026-03-01 09:00:00.000000',0.0,1.3,1.3,0.1,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,'{"focus": 0.5}',1.0,2.0,3.0,'run 7/A2/p1_t0000_s0.jpg','run 7/A2/p1_t0000_s0_stain.ome.tif',NULL);
CREATE TABLE retries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source VARCHAR NOT NULL, 
	locator VARCHAR NOT NULL, 
	asked_by VARCHAR NOT NULL, 
	asked_at DATETIME NOT NULL, 
	CONSTRAINT uq_retries UNIQUE (source, locator)
);
CREATE TABLE rule_states (
	rule VARCHAR NOT NULL, 
	experiment VARCHAR NOT NULL, 
	plate VARCHAR NOT NULL, 
	well VARCHAR NOT NULL, 
	last_time_point INTEGER NOT NULL, 
	open BOOLEAN NOT NULL, 
	state JSON NOT NULL, past JSON, past_until INTEGER, 
	PRIMARY KEY (rule, experiment, plate, well)
);
INSERT INTO "rule_states" VALUES('weak','run 7','p1','A1',1,1,'{"raised": true, "severity": "warning", "said": "warning", "said_at": "2026-03-01T09:00:00Z", "last": {"at": "2026-03-01T09:00:00Z", "day": 0.5, "badness": 0.43333333333333335, "evidence": {"now": {"value": 0.06666666666666667, "low": 0.0, "high": 0.1346239171896263}, "trend_per_day": 0.0, "target": 0.5, "cannot_forecast": "held-out runs support a forecast from day 5 on", "silence": "too-early", "points": [{"day": 0.5, "efficiency": 0.06666666666666667, "half_width": 0.06}]}}, "at": "2026-03-01T09:00:00Z"}',NULL,NULL);
INSERT INTO "rule_states" VALUES('weak','run 7','p1','A2',0,0,'{"streak": 1, "at": "2026-03-01T09:00:00Z"}',NULL,NULL);
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	started_at DATETIME, 
	first_frame_at DATETIME, 
	first_seen_at DATETIME NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "runs" VALUES(1,'run 7',NULL,'2026-03-01 09:00:00.000000','2026-03-01 09:05:00.000000',0);
CREATE TABLE signs_of_life (
	name VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE tile_scores (
	frame_id INTEGER NOT NULL, 
	height_px INTEGER NOT NULL, 
	width_px INTEGER NOT NULL, 
	tile_px INTEGER NOT NULL, 
	probability BLOB NOT NULL, 
	valid BLOB NOT NULL, 
	PRIMARY KEY (frame_id), 
	FOREIGN KEY(frame_id) REFERENCES results (frame_id)
);
INSERT INTO "tile_scores" VALUES(1,48,40,16,X'7801636060306030613063B060B064B062B066B001000D6E01BD',X'DB00');
INSERT INTO "tile_scores" VALUES(2,48,40,16,X'7801636060306030613063B060B064B062B066B001000D6E01BD',X'DB00');
INSERT INTO "tile_scores" VALUES(3,48,40,16,X'7801636060306030613063B060B064B062B066B001000D6E01BD',X'DB00');
CREATE TABLE well_estimates (
	well_id INTEGER NOT NULL, 
	time_point INTEGER NOT NULL, 
	day DOUBLE NOT NULL, 
	efficiency DOUBLE NOT NULL, 
	low DOUBLE NOT NULL, 
	high DOUBLE NOT NULL, 
	corrected BOOLEAN NOT NULL, 
	n_sites INTEGER NOT NULL, 
	PRIMARY KEY (well_id, time_point), 
	FOREIGN KEY(well_id) REFERENCES wells (id)
);
INSERT INTO "well_estimates" VALUES(1,0,0.0,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,1);
INSERT INTO "well_estimates" VALUES(1,1,0.5,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,1);
INSERT INTO "well_estimates" VALUES(2,0,0.0,6.66666666666666657414e-02,6.66666666666666796192e-03,1.26666666666666649643e-01,1,1);
CREATE TABLE well_outlooks (
	well_id INTEGER NOT NULL, 
	time_point INTEGER NOT NULL, 
	day DOUBLE NOT NULL, 
	now_day DOUBLE NOT NULL, 
	now DOUBLE NOT NULL, 
	now_low DOUBLE NOT NULL, 
	now_high DOUBLE NOT NULL, 
	trend_per_day DOUBLE NOT NULL, 
	trend_half_width DOUBLE NOT NULL, 
	final_day DOUBLE NOT NULL, 
	value DOUBLE, 
	low DOUBLE, 
	high DOUBLE, 
	half_width DOUBLE, 
	coverage DOUBLE, 
	errors JSON NOT NULL, 
	cause VARCHAR, 
	reason VARCHAR, filter JSON, 
	PRIMARY KEY (well_id, time_point), 
	FOREIGN KEY(well_id) REFERENCES wells (id)
);
INSERT INTO "well_outlooks" VALUES(1,0,0.0,0.0,6.66666666666666657414e-02,0.0,1.35094804154106740146e-01,0.0,0.24675,10.0,NULL,NULL,NULL,NULL,NULL,'[]','too-early','held-out runs support a forecast from day 5 on','[0.0, 0.06666666666666667, 0.0, 0.0004, 0.0, 0.0225, 0.06]');
INSERT INTO "well_outlooks" VALUES(1,1,0.5,0.5,6.66666666666666657414e-02,0.0,1.34623917189626296497e-01,0.0,1.06123899503059518356e-01,10.0,NULL,NULL,NULL,NULL,NULL,'[]','too-early','held-out runs support a forecast from day 5 on','[0.5, 0.06666666666666667, 0.0, 0.00037626699629171817, 0.0007149567367119902, 0.004161928306551299, 0.06]');
INSERT INTO "well_outlooks" VALUES(2,0,0.0,0.0,6.66666666666666657414e-02,0.0,1.35094804154106740146e-01,0.0,0.24675,10.0,NULL,NULL,NULL,NULL,NULL,'[]','too-early','held-out runs support a forecast from day 5 on','[0.0, 0.06666666666666667, 0.0, 0.0004, 0.0, 0.0225, 0.06]');
CREATE TABLE wells (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	plate VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, outlooks_due INTEGER, behind BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT uq_wells UNIQUE (run_id, plate, name)
);
INSERT INTO "wells" VALUES(1,1,'p1','A1',NULL,0);
INSERT INTO "wells" VALUES(2,1,'p1','A2',NULL,0);
CREATE INDEX ix_frames_locator ON frames (source, locator);
CREATE INDEX ix_frames_settled ON frames (settled_at);
CREATE INDEX ix_frames_counts ON frames (well_id, state, settled_at);
CREATE INDEX ix_results_overlay ON results (overlay);
CREATE INDEX ix_alerts_subject ON alerts (experiment, plate, well, rule);
CREATE INDEX ix_alerts_open ON alerts (resolved_at);
CREATE INDEX ix_outbox_waiting ON outbox (done_at, abandoned_at, channel);
CREATE INDEX ix_frames_failed ON frames (settled_at) WHERE fault = 'failed';
CREATE INDEX ix_rule_states_subject ON rule_states (experiment, plate, well);
DELETE FROM "sqlite_sequence";
COMMIT;
