PRAGMA application_id = 1265592170;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE abandoned (scene_uuid TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO "abandoned" VALUES('Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97');
CREATE TABLE destination (content TEXT NOT NULL);
INSERT INTO "destination" VALUES('{"host": "https://input.app.kognic.com", "workspace": "workspace-1", "project": "project-\u00e4", "batch": null}');
CREATE TABLE refused (
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (key, fingerprint)
) WITHOUT ROWID;
INSERT INTO "refused" VALUES('only refused','2:i','{"stage":"scene","message":"no such calibration"}');
INSERT INTO "refused" VALUES('refused','2:Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97','{"stage":"scene","message":"no such calibration"}');
INSERT INTO "refused" VALUES('refused','2:k',NULL);
CREATE TABLE scene (
    key TEXT PRIMARY KEY,
    step INTEGER NOT NULL,
    fingerprint TEXT,
    scene_uuid TEXT,
    preannotation_uuid TEXT,
    result TEXT,
    delivered INTEGER NOT NULL DEFAULT 0,
    outline TEXT
) WITHOUT ROWID;
INSERT INTO "scene" VALUES('Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97',6,'Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97',NULL,NULL,'{"status":"failed","externalId":"Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97","sceneUuid":"Stra\u00dfe \u0000 \ud800 \" '' \\ \n \ud83d\ude97","inputs":[],"error":{"stage":"scene","message":"no such calibration"}}',0,NULL);
INSERT INTO "scene" VALUES('abandoned',0,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "scene" VALUES('committed',2,'2:a/2:b','scene-committed',NULL,NULL,0,'bz1');
INSERT INTO "scene" VALUES('committing',1,'2:a/2:b','scene-committing',NULL,NULL,0,'bz1');
INSERT INTO "scene" VALUES('created',6,'2:a','scene-1','pre-annotation-1','{"status":"created","externalId":"crossing","sceneUuid":"scene-1","inputs":[{"uuid":"input-1","sceneUuid":"scene-1","requestUid":"request-1","sceneExternalId":"crossing","viewLink":"https://app.kognic.com/view/input-1"}],"preannotationUuid":"pre-annotation-1"}',0,'bz1');
INSERT INTO "scene" VALUES('creating-input',5,'2:a/2:b','scene-creating-input',NULL,NULL,0,'bz1');
INSERT INTO "scene" VALUES('delivered',6,'2:a','scene-1','pre-annotation-1','{"status":"created","externalId":"crossing","sceneUuid":"scene-1","inputs":[{"uuid":"input-1","sceneUuid":"scene-1","requestUid":"request-1","sceneExternalId":"crossing","viewLink":"https://app.kognic.com/view/input-1"}],"preannotationUuid":"pre-annotation-1"}',1,'bz1');
INSERT INTO "scene" VALUES('failed',6,'2:f',NULL,NULL,'{"status":"failed","externalId":"crossing","sceneUuid":"scene-1","inputs":[],"error":{"stage":"scene","message":"no such calibration"}}',1,'bz2');
INSERT INTO "scene" VALUES('made way\u00002:y',6,'2:x/2:y',NULL,NULL,'{"status":"created","externalId":"crossing","sceneUuid":"scene-1","inputs":[{"uuid":"input-1","sceneUuid":"scene-1","requestUid":"request-1","sceneExternalId":"crossing","viewLink":"https://app.kognic.com/view/input-1"}],"preannotationUuid":"pre-annotation-1"}',0,NULL);
INSERT INTO "scene" VALUES('pre-annotated',4,'2:a/2:b','scene-pre-annotated','pre-annotation-1',NULL,0,'bz1');
INSERT INTO "scene" VALUES('pre-annotating',3,'2:a/2:b','scene-pre-annotating',NULL,NULL,0,'bz1');
INSERT INTO "scene" VALUES('refused',2,'2:g','scene-2',NULL,NULL,0,NULL);
INSERT INTO "scene" VALUES('starting',0,'2:a/2:b','scene-starting',NULL,NULL,0,'bz1');
COMMIT;
