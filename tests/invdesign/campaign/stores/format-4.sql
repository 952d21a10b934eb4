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
CREATE TABLE campaigns (
	campaign VARCHAR(200) NOT NULL, 
	revision INTEGER NOT NULL, 
	proposals INTEGER NOT NULL, 
	PRIMARY KEY (campaign)
);
INSERT INTO "campaigns" VALUES('small',34,16);
CREATE TABLE claims (
	campaign VARCHAR(200) NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	worker VARCHAR(40), deaths INTEGER, 
	PRIMARY KEY (campaign, stage, candidate)
);
INSERT INTO "claims" VALUES('small','',14,'laboratory',NULL);
INSERT INTO "claims" VALUES('small','',15,'laboratory',NULL);
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
INSERT INTO "evaluations" VALUES('small',0,6,'initial','{"porosity": 0.22830133656971158, "layers": 8, "binder": "PVDF"}','failed','{}','ValueError: no cell has eight layers',2.60570690006716176867e-02,'d96d94ac349a3714','93be08ac6b98ddb5','2026-11-26 03:08:57.221231','2026-11-26 03:08:57.260489');
INSERT INTO "evaluations" VALUES('small',1,7,'initial','{"porosity": 0.4490266994573176, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.9590266994573176}',NULL,4.71583599937730468809e-03,'d96d94ac349a3714','bd190f5ff4bc761e','2026-11-26 03:08:57.221259','2026-11-26 03:08:57.319005');
INSERT INTO "evaluations" VALUES('small',2,8,'initial','{"porosity": 0.37265514680184425, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.9326551468018445}',NULL,1.14577800013648811727e-02,'d96d94ac349a3714','8ecffd70302a1925','2026-11-26 03:08:57.221274','2026-11-26 03:08:57.362765');
INSERT INTO "evaluations" VALUES('small',3,9,'initial','{"porosity": 0.28126590587198735, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.8112659058719873}',NULL,1.58818810014054179191e-02,'d96d94ac349a3714','63d14a4df2d2f587','2026-11-26 03:08:57.221282','2026-11-26 03:08:57.402539');
INSERT INTO "evaluations" VALUES('small',4,11,'RandomOptimizer','{"porosity": 0.301104068569839, "layers": 5, "binder": "CMC"}','done','{"voltage": 3.851104068569839}',NULL,3.01718800255912356078e-03,'d96d94ac349a3714','d08c30417cb494c7','2026-11-26 03:08:57.444987','2026-11-26 03:08:57.468035');
INSERT INTO "evaluations" VALUES('small',5,13,'RandomOptimizer','{"porosity": 0.32937950086779894, "layers": 4, "binder": "PVDF"}','done','{"voltage": 3.869379500867799}',NULL,1.7415805999917211011e-02,'d96d94ac349a3714','5870817a1951144b','2026-11-26 03:08:57.488681','2026-11-26 03:08:57.508376');
INSERT INTO "evaluations" VALUES('small',6,15,'RandomOptimizer','{"porosity": 0.3989148776046932, "layers": 7, "binder": "CMC"}','done','{"voltage": 3.968914877604693}',NULL,1.71026530006201937794e-02,'d96d94ac349a3714','f7df5c4426506626','2026-11-26 03:08:57.544502','2026-11-26 03:08:57.564108');
INSERT INTO "evaluations" VALUES('small',7,17,'RandomOptimizer','{"porosity": 0.23935067518614234, "layers": 2, "binder": "PVDF"}','done','{"voltage": 3.7593506751861425}',NULL,2.59015010014991275966e-02,'d96d94ac349a3714','d86b9c9a6fb63f15','2026-11-26 03:08:57.604970','2026-11-26 03:08:57.633084');
INSERT INTO "evaluations" VALUES('small',8,19,'RandomOptimizer','{"porosity": 0.25874460213817657, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.818744602138177}',NULL,2.73117850010748952627e-02,'d96d94ac349a3714','f46930df975fc37e','2026-11-26 03:08:57.684099','2026-11-26 03:08:57.714252');
INSERT INTO "evaluations" VALUES('small',9,21,'RandomOptimizer','{"porosity": 0.4186139803379774, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.9486139803379774}',NULL,1.2402339998516254127e-03,'d96d94ac349a3714','812a6877f20ef023','2026-11-26 03:08:57.789090','2026-11-26 03:08:57.811103');
INSERT INTO "evaluations" VALUES('small',10,23,'RandomOptimizer','{"porosity": 0.34068627054803075, "layers": 8, "binder": "CMC"}','failed','{}','ValueError: no cell has eight layers',1.57508899792446754872e-03,'d96d94ac349a3714','0687b9a4065aa8f0','2026-11-26 03:08:57.845870','2026-11-26 03:08:57.866192');
INSERT INTO "evaluations" VALUES('small',11,25,'RandomOptimizer','{"porosity": 0.3132042952813208, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.8232042952813208}',NULL,1.40702899807365611195e-03,'d96d94ac349a3714','ee6fc2f1c539ec78','2026-11-26 03:08:57.923925','2026-11-26 03:08:57.933436');
INSERT INTO "evaluations" VALUES('small',12,27,'RandomOptimizer','{"porosity": 0.2696844789199531, "layers": 7, "binder": "PVDF"}','done','{"voltage": 3.839684478919953}',NULL,1.93043600302189588546e-03,'d96d94ac349a3714','fb2628acb954c536','2026-11-26 03:08:57.984648','2026-11-26 03:08:58.005784');
INSERT INTO "evaluations" VALUES('small',13,29,'RandomOptimizer','{"porosity": 0.36076854406856, "layers": 2, "binder": "CMC"}','done','{"voltage": 3.88076854406856}',NULL,2.6694878000853350386e-02,'d96d94ac349a3714','daab50bcd09be140','2026-11-26 03:08:58.096282','2026-11-26 03:08:58.125830');
INSERT INTO "evaluations" VALUES('small',14,33,'RandomOptimizer','{"porosity": 0.4299074297770858, "layers": 5, "binder": "CMC"}','pending',NULL,NULL,NULL,NULL,'7205e5fc6b2a135f','2026-11-26 03:08:58.368271',NULL);
INSERT INTO "evaluations" VALUES('small',15,34,'RandomOptimizer','{"porosity": 0.20838860985822977, "layers": 4, "binder": "CMC"}','pending',NULL,NULL,NULL,NULL,'ef50a7ffdb8271bb','2026-11-26 03:08:58.398195',NULL);
CREATE TABLE facts (
	campaign VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	revision INTEGER, 
	value TEXT, 
	checksum VARCHAR(16), 
	PRIMARY KEY (campaign, name)
);
INSERT INTO "facts" VALUES('small','space',1,'{"columns": [{"name": "porosity", "kind": "number", "bounds": [0.2, 0.45], "unit": "", "log": false, "settings": "32c81a4e51ba6fda2b9989a0360fa02197c4e30618ac37eb1465441ae2c7e111"}, {"name": "layers", "kind": "number", "bounds": [1.0, 8.0], "unit": "", "log": false, "settings": "8ca5da8a268bf97f408e56ce7648b0543996ebfcb57a2f7a8830ff2777630c8c"}, {"name": "binder", "kind": "category", "bounds": null, "unit": "", "log": false, "settings": "3dbc79b6fbd967e9ef4247f8caee88535b9566dc6e3b7cad1ac3b9df6b78b196"}], "constraints": []}','7f684cc183e9c210');
INSERT INTO "facts" VALUES('small','seed',1,'3','ed56a55e793b1c70');
INSERT INTO "facts" VALUES('small','optimizer',1,'{"type": "RandomOptimizer"}','307ed313878dcf98');
INSERT INTO "facts" VALUES('small','versions',1,'{"invdesign": "0.1.0", "numpy": "2.4.6", "pandas": "2.3.3", "scipy": "1.17.1", "torch": "2.13.0+cpu", "gpytorch": "1.15.2", "botorch": "0.18.1", "rdkit": "2026.9.1", "pybamm": "26.10.1.1"}','82ecfc9ab2a2e524');
INSERT INTO "facts" VALUES('small','units',2,'{"voltage": "V"}','9cfe6ff954c32550');
INSERT INTO "facts" VALUES('small','calibrations',30,'{"": {"basis": {}, "reports": null}, "DFN": {"basis": {}, "reports": null}}','ca97c58c88ed51c7');
INSERT INTO "facts" VALUES('small','objectives',4,'{"d96d94ac349a3714": {"parts": {"PythonObjective.units[''voltage'']": "1301a36703069249", "source of PythonObjective.function": "d3bd2870bbc40676", "type of PythonObjective": "18b93e5f5aa14041"}}}','12dba71280460d8c');
CREATE TABLE log (
	campaign VARCHAR(200) NOT NULL, 
	entry INTEGER NOT NULL, 
	action VARCHAR(20), 
	candidates TEXT, 
	detail TEXT, 
	at DATETIME, 
	PRIMARY KEY (campaign, entry)
);
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
INSERT INTO "verifications" VALUES('small',3,'DFN',31,'{"voltage": 3.8312659058719873}',NULL,1.87441000161925330758e-03,'34817784f41a4c8d','2026-11-26 03:08:58.227315');
INSERT INTO "verifications" VALUES('small',8,'DFN',32,'{"voltage": 3.838744602138177}',NULL,1.82515659980708733201e-02,'745465ed4c1ace1a','2026-11-26 03:08:58.252876');
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
