// Reads objects of Kubernetes, one JSON document a line, and checks each against the schema of its kind. Prints what is
// wrong, a line each, and nothing if all is well.
import { createInterface } from "node:readline";

const packages = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator/",
  "postgresql.cnpg.io": "@kubernetes-models/cloudnative-pg/",
};

async function model(object) {
  const folder = packages[object.apiVersion.split("/")[0]] ?? "kubernetes-models/";
  return (await import(folder + object.apiVersion))[object.kind];
}

for await (const line of createInterface({ input: process.stdin })) {
  const object = JSON.parse(line);
  try {
    new (await model(object))(object).validate();
  } catch (error) {
    console.log(`${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}
