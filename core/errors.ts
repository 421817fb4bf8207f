/** One row: how an error looks to an OCI client, and what its reader can do next. */
export interface ErrorRow {
  /** The code in the OCI error body (distribution-spec, "Error Codes"), where a client may see it. */
  readonly ociCode: string;
  readonly status: number;
  /** What to do next, for whoever reads it. */
  readonly mend: string;
}

/**
 * Every error that this project raises on purpose. `status` is what an answer that has not begun becomes;
 * after the head a body can only end early.
 */
export const errorTable = {
  ABORTED: row('UNKNOWN', 499, 'Nothing: whoever asked went away.'),
  NAME_INVALID: row(
    'NAME_INVALID',
    400,
    'Use a repository name of lower-case path components (OCI distribution, "Pulling manifests").',
  ),
  TAG_INVALID: row(
    'TAG_INVALID',
    400,
    'Use a tag of at most 128 characters from [a-zA-Z0-9_.-] that does not start with . or -.',
  ),
  DIGEST_INVALID: row('DIGEST_INVALID', 400, 'Use sha256:<64 hex> or sha512:<128 hex>, lower case.'),
  NAMESPACE_INVALID: row('NAME_INVALID', 400, 'Give ns once, as host or host:port, without scheme or path.'),
  NAMESPACE_MISSING: row(
    'NAME_INVALID',
    400,
    'Add ?ns=<registry> to the request: a tag means nothing without its registry.',
  ),
  PATH_UNKNOWN: row(
    'NAME_UNKNOWN',
    404,
    'Only /v2/, /v2/<name>/manifests/<reference> and /v2/<name>/blobs/<digest> are served.',
  ),
  METHOD_UNSUPPORTED: row('UNSUPPORTED', 405, 'Use GET or HEAD: a mirror is read-only.'),
  REQUEST_INVALID: row('UNSUPPORTED', 400, 'Send a well-formed HTTP/1.1 request without a body (RFC 9112).'),
  RANGE_UNSATISFIABLE: row('SIZE_INVALID', 416, 'Ask for bytes inside the size that Content-Range names.'),
  MANIFEST_UNKNOWN: row(
    'MANIFEST_UNKNOWN',
    404,
    'No reachable member has it: the client goes on to the upstream registry.',
  ),
  BLOB_UNKNOWN: row('BLOB_UNKNOWN', 404, 'No reachable member has it: the client goes on to the upstream registry.'),
  FILTERED: row(
    'NAME_UNKNOWN',
    404,
    'A filter keeps this reference out of the mirror: the client goes on to the upstream registry.',
  ),
  SWITCHED_OFF: row(
    'NAME_UNKNOWN',
    404,
    'The operator has switched this mirror off, or to serving other mirrors alone (--mode-path): the client goes on to the upstream registry.',
  ),
  UNAUTHORIZED: row(
    'UNAUTHORIZED',
    401,
    "Give the user name and password of this cluster's mirrors; `peili configuration` with the same secret has containerd send them.",
  ),
  OVERLOADED: row('TOOMANYREQUESTS', 503, 'This member serves as many uploads as it may; ask another one.'),
  DRAINING: row('UNKNOWN', 503, 'This member is about to stop; ask another one.'),
  STARTING: row('UNKNOWN', 503, 'This member has just started; ask again in a second, or another one.'),

  CONTENT_ABSENT: row('BLOB_UNKNOWN', 404, 'The content left the store; pull the image again to have it back.'),
  STORE_FAILED: row(
    'UNKNOWN',
    404,
    "Reading the content store failed; look at the disk and at the mirror's rights to read it.",
  ),
  CONTAINERD_UNREACHABLE: row(
    'UNKNOWN',
    404,
    'Look whether containerd runs and --containerd-sock names its socket; opening it needs uid 0.',
  ),
  CONTAINERD_FAILED: row('UNKNOWN', 404, 'containerd could not do it; the message has its reason, its own log more.'),
  MEMBER_UNREACHABLE: row('UNKNOWN', 404, 'Look whether the member runs and its router port is open between nodes.'),
  DIAL_TIMEOUT: row(
    'UNKNOWN',
    404,
    "Look whether the member's node is up and its registry port is open between nodes.",
  ),
  DIAL_REFUSED: row('UNKNOWN', 404, 'Look whether the mirror runs on that member.'),
  HEAD_TIMEOUT: row('UNKNOWN', 404, 'The member accepted the request and did not answer in time; look at its load.'),
  MANIFEST_TIMEOUT: row('UNKNOWN', 404, 'The member did not send the whole manifest in time; look at its load.'),
  PEER_PROTOCOL: row('UNKNOWN', 404, "The answer was not HTTP; look at what listens on that member's registry port."),
  PEER_CLOSED: row('UNKNOWN', 404, 'The member closed the connection before all bytes were sent.'),
  PEER_REFUSED: row(
    'UNKNOWN',
    404,
    "The member's answer does not continue this body (status, range, size or digest); another source is asked.",
  ),
  PEER_STALLED: row('UNKNOWN', 404, 'The member sent no byte for too long; another source is asked.'),
  PEER_SLOW: row('UNKNOWN', 404, 'The member sent less than the minimum rate; another source is asked.'),
  DIGEST_MISMATCH: row(
    'DIGEST_INVALID',
    404,
    'Bytes did not match their digest; the member that sent them is named in the log.',
  ),
  MANIFEST_TOO_LARGE: row(
    'MANIFEST_INVALID',
    404,
    'A manifest may be 4 MiB at most; the client goes on to the upstream registry.',
  ),
  SOURCES_EXHAUSTED: row('BLOB_UNKNOWN', 404, 'No source is left for these bytes: the client resumes elsewhere.'),
  QUOTA_EXCEEDED: row('UNKNOWN', 503, 'A member said more than a member may; look at who fills the routing records.'),
  RECORDS_INVALID: row(
    'UNKNOWN',
    400,
    'A message of the records protocol could not be read; look for a member of another version.',
  ),

  FILTER_INVALID: row('UNKNOWN', 400, 'Give an RE2 pattern (no look-around, no back-references).'),
  OPTION_INVALID: row('UNKNOWN', 400, 'See --help for what the option accepts.'),
  ADDRESS_INVALID: row('UNKNOWN', 400, 'Give host:port or :port, IPv6 in brackets.'),
  ADDRESS_IN_USE: row('UNKNOWN', 503, 'Choose another port, or stop what listens there.'),
  STORE_INVALID: row(
    'UNKNOWN',
    400,
    'Name an existing directory with an OCI image layout (oci-layout, index.json, blobs/).',
  ),
  IDENTITY_INVALID: row(
    'UNKNOWN',
    400,
    'private.key must be a PEM PKCS#8 Ed25519 key; remove it to have a new one made.',
  ),
  DATA_DIR_INVALID: row('UNKNOWN', 400, 'Name a data directory that this process may make, read and write.'),
  HOSTS_INVALID: row(
    'UNKNOWN',
    400,
    'Mend the file that is named, or leave its registry out; nothing was changed in its directory.',
  ),
  HOSTS_UNWRITABLE: row(
    'UNKNOWN',
    503,
    "Give this process the right to write containerd's registry config path, and run it again: it goes on where it was.",
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** The error of this project: a code from the table, what happened in words, and the values that matter. */
export class PeiliError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, string | number | boolean> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PeiliError';
    this.code = code;
    this.details = details;
  }

  get row(): ErrorRow {
    return errorTable[this.code];
  }
}

/** The code of any thrown value, `undefined` for what is not ours. */
export function errorCodeOf(thrown: unknown): ErrorCode | undefined {
  return thrown instanceof PeiliError ? thrown.code : undefined;
}

/** A thrown value as a reason for events and logs: our code, else the message. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof PeiliError) return thrown.code;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The body that OCI clients read: `{"errors":[{code, message, detail}]}` (distribution-spec, "Error Codes"). */
export function ociErrorBody(error: PeiliError): string {
  const { ociCode, mend } = error.row;
  return JSON.stringify({
    errors: [{ code: ociCode, message: error.message, detail: { reason: error.code, mend, ...error.details } }],
  });
}

function row(ociCode: string, status: number, mend: string): ErrorRow {
  return { ociCode, status, mend };
}
