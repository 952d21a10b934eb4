BEGIN TRANSACTION;
CREATE TABLE attempts (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	attempt INTEGER NOT NULL, 
	reason TEXT, 
	seconds FLOAT, 
	finished_at DATETIME, 
	PRIMARY KEY (campaign, candidate, stage, attempt)
);
INSERT INTO "attempts" VALUES('laboratory',0,'',1,'amended, formerly: {"parameters": {"x": 0.25}, "properties": {"q": 0.12000000000000001}, "reason": null}',NULL,'2026-11-26 09:08:26.960850');
CREATE TABLE campaigns (
	campaign VARCHAR(200) NOT NULL, 
	revision INTEGER NOT NULL, 
	proposals INTEGER NOT NULL, 
	PRIMARY KEY (campaign)
);
INSERT INTO "campaigns" VALUES('laboratory',9,3);
CREATE TABLE claims (
	campaign VARCHAR(200) NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	worker VARCHAR(40), 
	deaths INTEGER, 
	PRIMARY KEY (campaign, stage, candidate)
);
CREATE TABLE evaluations (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	revision INTEGER, 
	origin VARCHAR(100), 
	parameters TEXT, 
	state VARCHAR(10), 
	properties TEXT, 
	reason TEXT, 
	seconds FLOAT, 
	objective VARCHAR(16), 
	checksum VARCHAR(16), 
	proposed_at DATETIME, 
	finished_at DATETIME, 
	PRIMARY KEY (campaign, candidate)
);
INSERT INTO "evaluations" VALUES('laboratory',0,9,'laboratory','{"x": 0.25}','done','{"q": 0.13}',NULL,NULL,NULL,'d8c882df6dea4944','2026-11-26 09:08:26.911292','2026-11-26 09:08:26.967603');
INSERT INTO "evaluations" VALUES('laboratory',1,5,'laboratory','{"x": 0.5}','done','{"q_below": 0.05}',NULL,NULL,NULL,'813f49210d528add','2026-11-26 09:08:26.911311','2026-11-26 09:08:26.914304');
INSERT INTO "evaluations" VALUES('laboratory',2,5,'laboratory','{"x": 0.75}','done','{"q": 0.2}',NULL,NULL,NULL,'0462b41fadd67fda','2026-11-26 09:08:26.911330','2026-11-26 09:08:26.914313');
CREATE TABLE facts (
	campaign VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	revision INTEGER, 
	value TEXT, 
	checksum VARCHAR(16), 
	PRIMARY KEY (campaign, name)
);
INSERT INTO "facts" VALUES('laboratory','space',1,'{"columns": [{"name": "x", "kind": "number", "bounds": [0.0, 1.0], "unit": "", "log": false, "settings": "83ec009a2bf0409fdce04dc9df2245021e6eb4d78dc77c66e51b6d8d8abfb194"}], "constraints": []}','3981965534e4905b');
INSERT INTO "facts" VALUES('laboratory','seed',1,'1','9eb27051c3f7e4f4');
INSERT INTO "facts" VALUES('laboratory','optimizer',1,'{"type": "RandomOptimizer"}','307ed313878dcf98');
INSERT INTO "facts" VALUES('laboratory','versions',1,'{"invdesign": "0.1.0", "numpy": "2.4.6", "pandas": "2.3.3", "scipy": "1.17.1", "torch": "2.13.0+cpu", "gpytorch": "1.15.2", "botorch": "0.18.1", "rdkit": "2026.9.1", "pybamm": "26.10.1.1"}','82ecfc9ab2a2e524');
INSERT INTO "facts" VALUES('laboratory','laboratory_units',2,'{"q": "A*h/g"}','45dc707af73ee87a');
CREATE TABLE log (
	campaign VARCHAR(200) NOT NULL, 
	entry INTEGER NOT NULL, 
	action VARCHAR(20), 
	candidates TEXT, 
	detail TEXT, 
	at DATETIME, 
	PRIMARY KEY (campaign, entry)
);
INSERT INTO "log" VALUES('laboratory',0,'amended','[0]','','2026-11-26 09:08:26.968841');
CREATE TABLE measurements (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	measurement INTEGER NOT NULL, 
	revision INTEGER, 
	replicate VARCHAR(100), 
	properties TEXT, 
	reason TEXT, 
	source TEXT, 
	checksum VARCHAR(16), 
	measured_at DATETIME, 
	PRIMARY KEY (campaign, candidate, measurement)
);
INSERT INTO "measurements" VALUES('laboratory',0,0,4,'1','{"q": 0.1}',NULL,NULL,'6f9321bef3c3b40d','2026-11-26 09:08:26.913126');
INSERT INTO "measurements" VALUES('laboratory',1,0,4,'1','{"q_below": 0.05}',NULL,NULL,'af9d97c71f4766e4','2026-11-26 09:08:26.913126');
INSERT INTO "measurements" VALUES('laboratory',2,0,4,'1','{"q": 0.2}',NULL,NULL,'d77e419e6de2b499','2026-11-26 09:08:26.913126');
INSERT INTO "measurements" VALUES('laboratory',0,1,8,'2','{"q": 0.16}',NULL,NULL,'0e303c81cd973b1d','2026-11-26 09:08:26.961968');
CREATE TABLE store_format (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "store_format" VALUES(4);
CREATE TABLE verifications (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	revision INTEGER, 
	properties TEXT, 
	reason TEXT, 
	seconds FLOAT, 
	checksum VARCHAR(16), 
	finished_at DATETIME, 
	PRIMARY KEY (campaign, candidate, stage)
);
CREATE TABLE workers (
	worker VARCHAR(40) NOT NULL, 
	campaign VARCHAR(200), 
	host VARCHAR(200), 
	pid INTEGER, 
	started VARCHAR(40), 
	expires FLOAT, 
	PRIMARY KEY (worker)
);
CREATE INDEX evaluations_by_revision ON evaluations (campaign, revision);
CREATE INDEX verifications_by_revision ON verifications (campaign, revision);
CREATE INDEX measurements_by_revision ON measurements (campaign, revision);
COMMIT;
