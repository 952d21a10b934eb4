BEGIN TRANSACTION;
CREATE TABLE evaluations (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	origin VARCHAR(100), 
	parameters JSON, 
	state VARCHAR(10), 
	properties JSON, 
	reason TEXT, 
	seconds FLOAT, 
	proposed_at DATETIME, 
	finished_at DATETIME, 
	PRIMARY KEY (campaign, candidate)
);
INSERT INTO "evaluations" VALUES('small',0,'initial','{"porosity": 0.22830133656971158, "layers": 8, "binder": "PVDF"}','failed','{}','ValueError: no cell has eight layers',2.18608599971048533916e-03,'2026-11-25 23:32:40.107393','2026-11-25 23:32:40.112214');
INSERT INTO "evaluations" VALUES('small',1,'initial','{"porosity": 0.4490266994573176, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.9590266994573176}',NULL,1.2321340000198688358e-03,'2026-11-25 23:32:40.107402','2026-11-25 23:32:40.115877');
INSERT INTO "evaluations" VALUES('small',2,'initial','{"porosity": 0.37265514680184425, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.9326551468018445}',NULL,1.29941200020766700617e-03,'2026-11-25 23:32:40.107405','2026-11-25 23:32:40.119195');
INSERT INTO "evaluations" VALUES('small',3,'initial','{"porosity": 0.28126590587198735, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.8112659058719873}',NULL,1.18589899966536904685e-03,'2026-11-25 23:32:40.107407','2026-11-25 23:32:40.122205');
INSERT INTO "evaluations" VALUES('small',4,'RandomOptimizer','{"porosity": 0.301104068569839, "layers": 5, "binder": "CMC"}','done','{"voltage": 3.851104068569839}',NULL,0.000957516000198666,'2026-11-25 23:32:40.132971','2026-11-25 23:32:40.136210');
INSERT INTO "evaluations" VALUES('small',5,'RandomOptimizer','{"porosity": 0.32937950086779894, "layers": 4, "binder": "PVDF"}','done','{"voltage": 3.869379500867799}',NULL,1.1131409996778529603e-03,'2026-11-25 23:32:40.145518','2026-11-25 23:32:40.148645');
INSERT INTO "evaluations" VALUES('small',6,'RandomOptimizer','{"porosity": 0.3989148776046932, "layers": 7, "binder": "CMC"}','done','{"voltage": 3.968914877604693}',NULL,1.18674099985582870431e-03,'2026-11-25 23:32:40.157947','2026-11-25 23:32:40.160914');
INSERT INTO "evaluations" VALUES('small',7,'RandomOptimizer','{"porosity": 0.23935067518614234, "layers": 2, "binder": "PVDF"}','done','{"voltage": 3.7593506751861425}',NULL,1.0968999999931838829e-03,'2026-11-25 23:32:40.169537','2026-11-25 23:32:40.172325');
INSERT INTO "evaluations" VALUES('small',8,'RandomOptimizer','{"porosity": 0.25874460213817657, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.818744602138177}',NULL,1.19596900003671180456e-03,'2026-11-25 23:32:40.181310','2026-11-25 23:32:40.184066');
INSERT INTO "evaluations" VALUES('small',9,'RandomOptimizer','{"porosity": 0.4186139803379774, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.9486139803379774}',NULL,0.000997650000044814,'2026-11-25 23:32:40.193009','2026-11-25 23:32:40.195562');
INSERT INTO "evaluations" VALUES('small',10,'RandomOptimizer','{"porosity": 0.34068627054803075, "layers": 8, "binder": "CMC"}','failed','{}','ValueError: no cell has eight layers',1.03572099988014088012e-03,'2026-11-25 23:32:40.204784','2026-11-25 23:32:40.207600');
INSERT INTO "evaluations" VALUES('small',11,'RandomOptimizer','{"porosity": 0.3132042952813208, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.8232042952813208}',NULL,8.95229999969160417094e-04,'2026-11-25 23:32:40.216185','2026-11-25 23:32:40.218932');
INSERT INTO "evaluations" VALUES('small',12,'RandomOptimizer','{"porosity": 0.2696844789199531, "layers": 7, "binder": "PVDF"}','done','{"voltage": 3.839684478919953}',NULL,9.0990099988630390726e-04,'2026-11-25 23:32:40.227814','2026-11-25 23:32:40.230414');
INSERT INTO "evaluations" VALUES('small',13,'RandomOptimizer','{"porosity": 0.36076854406856, "layers": 2, "binder": "CMC"}','done','{"voltage": 3.88076854406856}',NULL,9.10237999960372690111e-04,'2026-11-25 23:32:40.239128','2026-11-25 23:32:40.241703');
INSERT INTO "evaluations" VALUES('small',14,'RandomOptimizer','{"porosity": 0.4299074297770858, "layers": 5, "binder": "CMC"}','pending',NULL,NULL,NULL,'2026-11-25 23:32:40.272426',NULL);
INSERT INTO "evaluations" VALUES('small',15,'RandomOptimizer','{"porosity": 0.20838860985822977, "layers": 4, "binder": "CMC"}','pending',NULL,NULL,NULL,'2026-11-25 23:32:40.282934',NULL);
CREATE TABLE facts (
	campaign VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	value JSON, 
	PRIMARY KEY (campaign, name)
);
INSERT INTO "facts" VALUES('small','space','{"columns": [{"name": "porosity", "kind": "number", "bounds": [0.2, 0.45], "unit": "", "log": false, "settings": "44bc89a9e85d46b2a352da3c569b42dd6fb0475f31ee4498a4a06e443943e1a8"}, {"name": "layers", "kind": "number", "bounds": [1.0, 8.0], "unit": "", "log": false, "settings": "ea50f7e3d8584f7c04d5a47029e5780ae782877d67c7a29d386b81bd8ea50a28"}, {"name": "binder", "kind": "category", "bounds": null, "unit": "", "log": false, "settings": "fe7a7b92e303ecbaea503a10657f282fb18a50c55c01f2548f7340216a927798"}], "constraints": []}');
INSERT INTO "facts" VALUES('small','seed',3);
INSERT INTO "facts" VALUES('small','optimizer','"RandomOptimizer()"');
INSERT INTO "facts" VALUES('small','versions','{"invdesign": "0.1.0", "numpy": "2.4.6", "pandas": "2.3.3", "scipy": "1.17.1", "torch": "2.13.0+cpu", "gpytorch": "1.15.2", "botorch": "0.18.1", "rdkit": "2026.9.1", "pybamm": "26.10.1.1"}');
INSERT INTO "facts" VALUES('small','units','{"voltage": "V"}');
INSERT INTO "facts" VALUES('small','calibrations','{"": {"basis": {}, "reports": null}, "DFN": {"basis": {}, "reports": null}}');
CREATE TABLE verifications (
	campaign VARCHAR(200) NOT NULL, 
	candidate INTEGER NOT NULL, 
	stage VARCHAR(200) NOT NULL, 
	properties JSON, 
	reason TEXT, 
	seconds FLOAT, 
	finished_at DATETIME, 
	PRIMARY KEY (campaign, candidate, stage)
);
INSERT INTO "verifications" VALUES('small',3,'DFN','{"voltage": 3.8312659058719873}',NULL,9.02101999599835835397e-04,'2026-11-25 23:32:40.255871');
INSERT INTO "verifications" VALUES('small',8,'DFN','{"voltage": 3.838744602138177}',NULL,1.31957500025237095542e-03,'2026-11-25 23:32:40.259713');
COMMIT;
