import { fromJSON } from '@grpc/proto-loader';
import type { Serialize } from '@grpc/proto-loader';
import { parse } from 'valibot';
import messages from './protos/messages.json' with { type: 'json' };
import type { Method } from './rpc-method.ts';

/** How a method's messages look on the wire. */
export interface WireMethod<Answer> {
  /** As gRPC asks for it: `/package.Service/Method`. */
  readonly path: string;
  readonly serialize: Serialize<object>;
  /** Throws for an answer that is not what it must be. */
  readonly deserialize: (bytes: Buffer) => Answer;
}

type MessagesJson = Parameters<typeof fromJSON>[0];

/** What the generator wrote, from our own .proto files: its type is too deep to be checked literal by literal. */
function isMessagesJson(value: object): value is MessagesJson {
  return 'nested' in value;
}

function loadServices(json: object): ReturnType<typeof fromJSON> {
  if (!isMessagesJson(json)) throw new Error('messages.json holds no messages: run tools/protos.ts');
  // 64-bit integers are sizes and seconds: they fit into a number. What a message leaves out has its type's zero.
  return fromJSON(json, { longs: Number, enums: String, defaults: true });
}

const services = loadServices(messages);

export function wireMethod<Answer>({ service, name, schema }: Method<Answer>): WireMethod<Answer> {
  const definition = services[service];
  const method = definition !== undefined && !('format' in definition) ? definition[name] : undefined;
  if (method === undefined) throw new Error(`the .proto files have no ${service}/${name}`);
  const { path, requestSerialize, responseDeserialize } = method;
  return { path, serialize: requestSerialize, deserialize: (bytes) => parse(schema, responseDeserialize(bytes)) };
}
