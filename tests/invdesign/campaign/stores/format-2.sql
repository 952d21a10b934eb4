BEGIN TRANSACTION;
CREATE TABLE campaigns (
	campaign VARCHAR(200) NOT NULL, 
	revision INTEGER NOT NULL, 
	proposals INTEGER NOT NULL, 
	PRIMARY KEY (campaign)
);
INSERT INTO "campaigns" VALUES('small',33,16);
CREATE TABLE claims (
	campaign VARCHAR(200) NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	worker VARCHAR(40), 
	PRIMARY KEY (campaign, stage, candidate)
);
INSERT INTO "claims" VALUES('small','',14,'laboratory');
INSERT INTO "claims" VALUES('small','',15,'laboratory');
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
INSERT INTO "evaluations" VALUES('small',0,5,'initial','{"porosity": 0.22830133656971158, "layers": 8, "binder": "PVDF"}','failed','{}','ValueError: no cell has eight layers',2.3917510006867814809e-03,NULL,'d937f0248c9468c3','2026-11-26 02:32:33.513572','2026-11-26 02:32:33.522145');
INSERT INTO "evaluations" VALUES('small',1,6,'initial','{"porosity": 0.4490266994573176, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.9590266994573176}',NULL,2.20366400026250630617e-03,NULL,'8df01b9d8fb34dfd','2026-11-26 02:32:33.513599','2026-11-26 02:32:33.532612');
INSERT INTO "evaluations" VALUES('small',2,7,'initial','{"porosity": 0.37265514680184425, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.9326551468018445}',NULL,1.26395799998135771602e-03,NULL,'e5b46cfd81053b8c','2026-11-26 02:32:33.513612','2026-11-26 02:32:33.541026');
INSERT INTO "evaluations" VALUES('small',3,8,'initial','{"porosity": 0.28126590587198735, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.8112659058719873}',NULL,1.41510200046468526124e-03,NULL,'4a982ba1e9ba2dcc','2026-11-26 02:32:33.513625','2026-11-26 02:32:33.549065');
INSERT INTO "evaluations" VALUES('small',4,10,'RandomOptimizer','{"porosity": 0.301104068569839, "layers": 5, "binder": "CMC"}','done','{"voltage": 3.851104068569839}',NULL,1.20597000022826250642e-03,NULL,'e76cab59078d3d6c','2026-11-26 02:32:33.560680','2026-11-26 02:32:33.566431');
INSERT INTO "evaluations" VALUES('small',5,12,'RandomOptimizer','{"porosity": 0.32937950086779894, "layers": 4, "binder": "PVDF"}','done','{"voltage": 3.869379500867799}',NULL,1.30829599947901442646e-03,NULL,'51fe605af095aa85','2026-11-26 02:32:33.576545','2026-11-26 02:32:33.581923');
INSERT INTO "evaluations" VALUES('small',6,14,'RandomOptimizer','{"porosity": 0.3989148776046932, "layers": 7, "binder": "CMC"}','done','{"voltage": 3.968914877604693}',NULL,1.41688800067640841007e-03,NULL,'b6e8f0dd62e6cd87','2026-11-26 02:32:33.590857','2026-11-26 02:32:33.596418');
INSERT INTO "evaluations" VALUES('small',7,16,'RandomOptimizer','{"porosity": 0.23935067518614234, "layers": 2, "binder": "PVDF"}','done','{"voltage": 3.7593506751861425}',NULL,1.54693800141103565692e-03,NULL,'f9b4fc46f53ad471','2026-11-26 02:32:33.605649','2026-11-26 02:32:33.611485');
INSERT INTO "evaluations" VALUES('small',8,18,'RandomOptimizer','{"porosity": 0.25874460213817657, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.818744602138177}',NULL,1.24314200002118013799e-03,NULL,'7c44274f1fb943a0','2026-11-26 02:32:33.620892','2026-11-26 02:32:33.626363');
INSERT INTO "evaluations" VALUES('small',9,20,'RandomOptimizer','{"porosity": 0.4186139803379774, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.9486139803379774}',NULL,1.05432499913149513304e-03,NULL,'af50a8b7a6c10ead','2026-11-26 02:32:33.635481','2026-11-26 02:32:33.640564');
INSERT INTO "evaluations" VALUES('small',10,22,'RandomOptimizer','{"porosity": 0.34068627054803075, "layers": 8, "binder": "CMC"}','failed','{}','ValueError: no cell has eight layers',1.17938600124034564942e-03,NULL,'74b0e7e67fd220b3','2026-11-26 02:32:33.650239','2026-11-26 02:32:33.655635');
INSERT INTO "evaluations" VALUES('small',11,24,'RandomOptimizer','{"porosity": 0.3132042952813208, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.8232042952813208}',NULL,1.03615400075796060264e-03,NULL,'9296cfab555ca0d7','2026-11-26 02:32:33.665135','2026-11-26 02:32:33.670416');
INSERT INTO "evaluations" VALUES('small',12,26,'RandomOptimizer','{"porosity": 0.2696844789199531, "layers": 7, "binder": "PVDF"}','done','{"voltage": 3.839684478919953}',NULL,1.28703999871504493057e-03,NULL,'18fbe40ba641e488','2026-11-26 02:32:33.679406','2026-11-26 02:32:33.685033');
INSERT INTO "evaluations" VALUES('small',13,28,'RandomOptimizer','{"porosity": 0.36076854406856, "layers": 2, "binder": "CMC"}','done','{"voltage": 3.88076854406856}',NULL,1.28752399905351921916e-03,NULL,'49da23359c81ceec','2026-11-26 02:32:33.695622','2026-11-26 02:32:33.701397');
INSERT INTO "evaluations" VALUES('small',14,32,'RandomOptimizer','{"porosity": 0.4299074297770858, "layers": 5, "binder": "CMC"}','pending',NULL,NULL,NULL,NULL,'0a6e2357220d32d9','2026-11-26 02:32:33.759256',NULL);
INSERT INTO "evaluations" VALUES('small',15,33,'RandomOptimizer','{"porosity": 0.20838860985822977, "layers": 4, "binder": "CMC"}','pending',NULL,NULL,NULL,NULL,'fafda7836a7dffc3','2026-11-26 02:32:33.775035',NULL);
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
INSERT INTO "facts" VALUES('small','calibrations',29,'{"": {"basis": {}, "reports": null}, "DFN": {"basis": {}, "reports": null}}','1b50f3e17325ee75');
CREATE TABLE store_format (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "store_format" VALUES(2);
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
INSERT INTO "verifications" VALUES('small',3,'DFN',30,'{"voltage": 3.8312659058719873}',NULL,1.2580359998537460342e-03,'16e0aeb9fe01066f','2026-11-26 02:32:33.728851');
INSERT INTO "verifications" VALUES('small',8,'DFN',31,'{"voltage": 3.838744602138177}',NULL,1.31371899988153018057e-03,'cd4e8c7f73f8bfb4','2026-11-26 02:32:33.736010');
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
COMMIT;
