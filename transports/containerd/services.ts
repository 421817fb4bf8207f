import { fromJSON } from '@grpc/proto-loader';
import type { Serialize } from '@grpc/proto-loader';
import { parse } from 'valibot';
import type { BaseIssue, BaseSchema } from 'valibot';
import messages from './protos/messages.json' with { type: 'json' };

/** One method of a service: how its messages look on the wire, and what an answer must be. */
export interface Method<Answer> {
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

/** A method of one of our .proto files; `service` with its package. */
export function methodOf<Answer>(
  service: string,
  name: string,
  schema: BaseSchema<unknown, Answer, BaseIssue<unknown>>,
): Method<Answer> {
  const definition = services[service];
  const method = definition !== undefined && !('format' in definition) ? definition[name] : undefined;
  if (method === undefined) throw new Error(`the .proto files have no ${service}/${name}`);
  const { path, requestSerialize, responseDeserialize } = method;
  return { path, serialize: requestSerialize, deserialize: (bytes) => parse(schema, responseDeserialize(bytes)) };
}
