import { globSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** The .proto files as the one JSON file that is loaded at run time: a module can import it, and so a bundle can hold it. */
const folder = 'transports/containerd/protos';
const root = new protobuf.Root();
root.loadSync(globSync(`${folder}/*.proto`).sort());
writeFileSync(`${folder}/messages.json`, `${JSON.stringify(root.toJSON({ keepComments: false }), undefined, 2)}\n`);
