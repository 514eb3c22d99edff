// Reads objects as YAML from a file and checks each against the schema of its kind; tells what is wrong, a line each.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const packages = {
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "keda.sh": "@kubernetes-models/keda",
};
const findings = [];
let count = 0;

for (const document of parseAllDocuments(readFileSync(process.argv[2], "utf8"))) {
  const object = document.toJS();
  if (!object) continue;
  count++;

  // kustomize breaks long lines of base64; whoever decodes it passes over that.
  for (const key of object.kind === "Secret" ? Object.keys(object.data) : []) {
    object.data[key] = object.data[key].replaceAll("\n", "");
  }

  const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", object.apiVersion];
  const module = await import([packages[group] ?? "kubernetes-models", group, version].filter(Boolean).join("/"));
  try {
    new module[object.kind](object).validate();
  } catch (error) {
    findings.push(`${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}

console.log(`${count} objects, ${findings.length} findings`);
findings.forEach((finding) => console.log(finding));
