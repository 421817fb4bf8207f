import { PeiliError } from '../errors.ts';
import type { Handler } from './handler.ts';
import { errorResponse } from './responses.ts';

/** The end of every stack: nobody has it. The client goes on to its next host. */
export const notFound: Handler = ({ request }) => {
  const code = request.resource === 'blob' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN';
  return Promise.resolve(errorResponse(new PeiliError(code, 'not known to this mirror'), request));
};
