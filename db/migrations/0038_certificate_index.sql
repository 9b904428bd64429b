-- provision: the key of certificates is the only index that begins with tenant_id and holds every row: while the table is nearly
-- empty, another one looks as good to the planner, and such a plan would go through all certificates of the tenant later.

DROP INDEX provision.certificate_subject;
CREATE INDEX certificate_subject ON provision.certificate (subject, tenant_id, id);
