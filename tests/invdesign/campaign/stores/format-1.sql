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
INSERT INTO "evaluations" VALUES('small',0,'initial','{"porosity": 0.22830133656971158, "layers": 8, "binder": "PVDF"}','failed','{}','ValueError: no cell has eight layers',0.00139129299986962,'2026-11-25 23:32:42.333544','2026-11-25 23:32:42.338029');
INSERT INTO "evaluations" VALUES('small',1,'initial','{"porosity": 0.4490266994573176, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.9590266994573176}',NULL,1.1227289996895706281e-03,'2026-11-25 23:32:42.333554','2026-11-25 23:32:42.341482');
INSERT INTO "evaluations" VALUES('small',2,'initial','{"porosity": 0.37265514680184425, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.9326551468018445}',NULL,1.06596999967223382554e-03,'2026-11-25 23:32:42.333557','2026-11-25 23:32:42.344300');
INSERT INTO "evaluations" VALUES('small',3,'initial','{"porosity": 0.28126590587198735, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.8112659058719873}',NULL,1.24204100029601249843e-03,'2026-11-25 23:32:42.333559','2026-11-25 23:32:42.347118');
INSERT INTO "evaluations" VALUES('small',4,'RandomOptimizer','{"porosity": 0.301104068569839, "layers": 5, "binder": "CMC"}','done','{"voltage": 3.851104068569839}',NULL,9.49762999880476854741e-04,'2026-11-25 23:32:42.357283','2026-11-25 23:32:42.360233');
INSERT INTO "evaluations" VALUES('small',5,'RandomOptimizer','{"porosity": 0.32937950086779894, "layers": 4, "binder": "PVDF"}','done','{"voltage": 3.869379500867799}',NULL,1.04587800024091848172e-03,'2026-11-25 23:32:42.368987','2026-11-25 23:32:42.371609');
INSERT INTO "evaluations" VALUES('small',6,'RandomOptimizer','{"porosity": 0.3989148776046932, "layers": 7, "binder": "CMC"}','done','{"voltage": 3.968914877604693}',NULL,9.43856000048981513828e-04,'2026-11-25 23:32:42.380357','2026-11-25 23:32:42.382945');
INSERT INTO "evaluations" VALUES('small',7,'RandomOptimizer','{"porosity": 0.23935067518614234, "layers": 2, "binder": "PVDF"}','done','{"voltage": 3.7593506751861425}',NULL,8.88012999894272070378e-04,'2026-11-25 23:32:42.391886','2026-11-25 23:32:42.394287');
INSERT INTO "evaluations" VALUES('small',8,'RandomOptimizer','{"porosity": 0.25874460213817657, "layers": 6, "binder": "PVDF"}','done','{"voltage": 3.818744602138177}',NULL,0.000849009999910777,'2026-11-25 23:32:42.402320','2026-11-25 23:32:42.404809');
INSERT INTO "evaluations" VALUES('small',9,'RandomOptimizer','{"porosity": 0.4186139803379774, "layers": 3, "binder": "CMC"}','done','{"voltage": 3.9486139803379774}',NULL,1.17660799969598883762e-03,'2026-11-25 23:32:42.413076','2026-11-25 23:32:42.415838');
INSERT INTO "evaluations" VALUES('small',10,'RandomOptimizer','{"porosity": 0.34068627054803075, "layers": 8, "binder": "CMC"}','failed','{}','ValueError: no cell has eight layers',1.0092349998558347579e-03,'2026-11-25 23:32:42.424614','2026-11-25 23:32:42.427651');
INSERT INTO "evaluations" VALUES('small',11,'RandomOptimizer','{"porosity": 0.3132042952813208, "layers": 1, "binder": "CMC"}','done','{"voltage": 3.8232042952813208}',NULL,9.09571999727631919085e-04,'2026-11-25 23:32:42.437605','2026-11-25 23:32:42.440084');
INSERT INTO "evaluations" VALUES('small',12,'RandomOptimizer','{"porosity": 0.2696844789199531, "layers": 7, "binder": "PVDF"}','done','{"voltage": 3.839684478919953}',NULL,8.99084000138827832415e-04,'2026-11-25 23:32:42.448318','2026-11-25 23:32:42.450868');
INSERT INTO "evaluations" VALUES('small',13,'RandomOptimizer','{"porosity": 0.36076854406856, "layers": 2, "binder": "CMC"}','done','{"voltage": 3.88076854406856}',NULL,9.01116000022739171981e-04,'2026-11-25 23:32:42.459297','2026-11-25 23:32:42.461924');
INSERT INTO "evaluations" VALUES('small',14,'RandomOptimizer','{"porosity": 0.4299074297770858, "layers": 5, "binder": "CMC"}','pending',NULL,NULL,NULL,'2026-11-25 23:32:42.491260',NULL);
INSERT INTO "evaluations" VALUES('small',15,'RandomOptimizer','{"porosity": 0.20838860985822977, "layers": 4, "binder": "CMC"}','pending',NULL,NULL,NULL,'2026-11-25 23:32:42.501421',NULL);
CREATE TABLE facts (
	campaign VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	value JSON, 
	PRIMARY KEY (campaign, name)
);
INSERT INTO "facts" VALUES('small','space','{"columns": [{"name": "porosity", "kind": "number", "bounds": [0.2, 0.45], "unit": "", "log": false, "settings": "32c81a4e51ba6fda2b9989a0360fa02197c4e30618ac37eb1465441ae2c7e111"}, {"name": "layers", "kind": "number", "bounds": [1.0, 8.0], "unit": "", "log": false, "settings": "8ca5da8a268bf97f408e56ce7648b0543996ebfcb57a2f7a8830ff2777630c8c"}, {"name": "binder", "kind": "category", "bounds": null, "unit": "", "log": false, "settings": "3dbc79b6fbd967e9ef4247f8caee88535b9566dc6e3b7cad1ac3b9df6b78b196"}], "constraints": []}');
INSERT INTO "facts" VALUES('small','seed',3);
INSERT INTO "facts" VALUES('small','optimizer','{"type": "RandomOptimizer"}');
INSERT INTO "facts" VALUES('small','versions','{"invdesign": "0.1.0", "numpy": "2.4.6", "pandas": "2.3.3", "scipy": "1.17.1", "torch": "2.13.0+cpu", "gpytorch": "1.15.2", "botorch": "0.18.1", "rdkit": "2026.9.1", "pybamm": "26.10.1.1"}');
INSERT INTO "facts" VALUES('small','units','{"voltage": "V"}');
INSERT INTO "facts" VALUES('small','calibrations','{"": {"basis": {}, "reports": null}, "DFN": {"basis": {}, "reports": null}}');
CREATE TABLE store_format (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "store_format" VALUES(1);
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
INSERT INTO "verifications" VALUES('small',3,'DFN','{"voltage": 3.8312659058719873}',NULL,9.38201999815646559e-04,'2026-11-25 23:32:42.475265');
INSERT INTO "verifications" VALUES('small',8,'DFN','{"voltage": 3.838744602138177}',NULL,0.000871224000093207,'2026-11-25 23:32:42.478920');
COMMIT;
