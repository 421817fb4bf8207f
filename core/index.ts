/**
 * The mirror as a library without I/O: requests, handlers, relay, filters, routing, advertising, and the ports that they need.
 *
 * @packageDocumentation
 */
export * from './ports/index.ts';
export { scheduleFair } from './fair-timer.ts';
export { abortedError, abortReason, onAbort, openScope, settleOrAbort, throwIfAborted, withDeadline } from './abort.ts';
export type { Scope } from './abort.ts';
export { errorCodeOf, errorTable, ociErrorBody, PeiliError, reasonOf } from './errors.ts';
export type { ErrorCode, ErrorRow } from './errors.ts';
export { defaultLimits, limitsWith } from './limits.ts';
export type { Limits } from './limits.ts';
export type { BlobRequest, DistributionRequest, ManifestRequest, PingRequest } from './requests/request.ts';
export type { DistributionResponse, Exchange, Handler } from './handlers/handler.ts';
export type { Mirror, RequestText } from './handlers/mirror.ts';
export { bytesBody, errorResponse } from './handlers/responses.ts';
export type { Asker } from './handlers/responses.ts';
export { parseRequest } from './requests/parse-request.ts';
export { formatContentRange, formatRange, parseContentRange, parseRange, resolveRange } from './requests/range.ts';
export type { ContentRange, RangeSpec, ResolvedRange } from './requests/range.ts';
export { keyOf, nameOf, parseReference, referenceOf, targetOf } from './requests/reference.ts';
export type { Reference } from './requests/reference.ts';
export { isDigest, isRegistry, isRepository, isTag } from './requests/grammar.ts';
export { createRegistryFilter } from './filters/registry-filter.ts';
export type { FilterDecision, RegistryFilter, RegistryFilterOptions } from './filters/registry-filter.ts';
export { parseRegistryEntry } from './filters/registry-list.ts';
export type { RegistryEntry } from './filters/registry-list.ts';
export { filter } from './handlers/filter.ts';
export type { FilterOptions } from './handlers/filter.ts';
export { createRouter } from './routing/router.ts';
export type { OwnRecords, Router, RouterDeps, RouterOptions, RouterState } from './routing/router.ts';
export type { OnHolders } from './routing/lookup-flight.ts';
export type { Reachability } from './routing/reachability.ts';
export type { RecordCounts } from './routing/record-store.ts';
export { routingKeyOf } from './routing/routing-key.ts';
export type { Canary } from './canary/canary.ts';
export { canaryRegistry, createCanaryImage } from './canary/canary-image.ts';
export type { CanaryContent, CanaryImage } from './canary/canary-image.ts';
export { judgeCanary } from './canary/canary-verdict.ts';
export type { CanaryPull, CanaryVerdict } from './canary/canary-verdict.ts';
export { pullIdHeader } from './handlers/answer.ts';
export { canaryAskedHeader } from './handlers/canary.ts';
export { createMirror } from './create-mirror.ts';
export type { MeasureOptions, MirrorNode, MirrorOptions, MirrorPorts } from './create-mirror.ts';
export type { BlobVerification } from './handlers/verify.ts';
export { createAdvertiser } from './advertising/advertiser.ts';
export type { Advertiser, AdvertiserDeps, AdvertiserOptions, AdvertiserState } from './advertising/advertiser.ts';
export type { HoldingsFilter } from './advertising/holdings.ts';
