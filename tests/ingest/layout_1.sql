CREATE TABLE files (
	path TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	library INTEGER NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	sha256 VARCHAR(64), 
	media_id VARCHAR(36), 
	kind VARCHAR(8), 
	state VARCHAR(16) NOT NULL, 
	code VARCHAR(32) NOT NULL, 
	detail TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	missing_since FLOAT, 
	PRIMARY KEY (path), 
	FOREIGN KEY(library) REFERENCES libraries (id)
)
 WITHOUT ROWID

;
INSERT INTO "files" VALUES('MEDIA/a.jpg','MEDIA',1,13,1795319767379713547,'ab09a0603910949db1c7cd78d25c1f0707c79c8d54e96cad5f5a2a5a05c1f23f','84f50edb-fbb3-56a9-8c6f-b50164f1acaf','image','embedded','','',0,1,NULL);
INSERT INTO "files" VALUES('MEDIA/b.jpg','MEDIA',1,13,1795319767379792134,'eb8070bf0959d9f6768752d4956287374fdd40b54ac1f2ff4e9545d4dcaca833','340de0cf-1e29-5c6f-8de8-a40085401b86','image','embedded','','',0,1,NULL);
CREATE TABLE jobs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	state VARCHAR(24) NOT NULL, 
	library TEXT NOT NULL, 
	roots TEXT NOT NULL, 
	confirm_missing BOOLEAN NOT NULL, 
	retry_failed BOOLEAN NOT NULL, 
	message TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	seconds FLOAT NOT NULL, 
	rate FLOAT NOT NULL, 
	eta_seconds FLOAT, 
	total INTEGER NOT NULL, 
	embedded INTEGER NOT NULL, 
	duplicate INTEGER NOT NULL, 
	unchanged INTEGER NOT NULL, 
	moved INTEGER NOT NULL, 
	missing INTEGER NOT NULL, 
	skipped INTEGER NOT NULL, 
	failed INTEGER NOT NULL
);
INSERT INTO "jobs" VALUES(1,'done','media','["MEDIA"]',0,0,'',1.79531976766262435906e+09,2.94559744999787653796e-01,7.22026493278101177963e+00,NULL,2,2,0,0,0,0,0,0);
INSERT INTO "jobs" VALUES(2,'running','media','["MEDIA"]',0,0,'',1.7953197679839618206e+09,4.32595279999077320098e-02,0.0,NULL,3,0,0,2,0,0,0,0);
CREATE TABLE libraries (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "libraries" VALUES(1,'media');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema','1');
CREATE TABLE planned (
	seq INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	action VARCHAR(8) NOT NULL, 
	path TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	library INTEGER NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	kind VARCHAR(8), 
	PRIMARY KEY (seq)
);
INSERT INTO "planned" VALUES(1,2,'read','MEDIA/c.jpg','MEDIA',1,13,1795319767981720328,'image');
CREATE TABLE roots (
	path TEXT NOT NULL, 
	library INTEGER NOT NULL, 
	PRIMARY KEY (path), 
	FOREIGN KEY(library) REFERENCES libraries (id)
);
INSERT INTO "roots" VALUES('MEDIA',1);
CREATE TABLE unsettled (
	media_id VARCHAR(36) NOT NULL, 
	PRIMARY KEY (media_id)
);
INSERT INTO "unsettled" VALUES('00000000-0000-5000-8000-000000000001');
CREATE INDEX planned_job ON planned (job, action, seq);
CREATE INDEX planned_path ON planned (path);
CREATE INDEX files_media_id ON files (media_id);
CREATE INDEX files_folder ON files (folder);
CREATE INDEX files_sha256 ON files (sha256);
CREATE INDEX files_state ON files (state, path);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',2);
