/**
 * A whole cluster in one process, deterministic: the production mirror over a simulated network, containerd and registry.
 *
 * @packageDocumentation
 */
export { simulate } from './run/simulate.ts';
export type { SimResult, SimulateOptions } from './run/simulate.ts';
export type { PodResult } from './run/start-pods.ts';
export type { PullResult } from './run/start-workload.ts';
export { parseScenario } from './scenario/parse-scenario.ts';
export type { ParseScenarioOptions } from './scenario/parse-scenario.ts';
export { readScenario } from './scenario/read-scenario.ts';
export type { ReadScenarioOptions } from './scenario/read-scenario.ts';
export { formatScenario, writeScenario } from './scenario/write-scenario.ts';
export { didYouMean, ScenarioError } from './scenario/scenario-error.ts';
export type { ScenarioText } from './scenario/scenario-schema.ts';
export type { Bound } from './scenario/bound.ts';
export type { Expectation, FigureName, Plan } from './scenario/plan.ts';
export { figureOf, judgeExpectations } from './scenario/judge-expectations.ts';
export type { Disappointment } from './scenario/judge-expectations.ts';
export { recordRun } from './report/record-run.ts';
export type { RunRecording } from './report/record-run.ts';
export type {
  FaultRecord,
  ObjectRecord,
  ProgressPoint,
  PullRecord,
  RunRecord,
  SourceRecord,
  StepRecord,
} from './report/run-record.ts';
export { findScenario, namedScenarios } from './scenarios/index.ts';
export type { NamedScenario } from './scenarios/index.ts';
export type { ClusterSpec, ImageSpec, PodSpec, PullSpec, Scenario } from './scenario/scenario.ts';
export type { RuntimeSpec } from './containerd/create-runtime.ts';
export { defaultContainerdOptions } from './containerd/containerd-options.ts';
export type { ContainerdOptions } from './containerd/containerd-options.ts';
export type { UnpackSpec } from './containerd/unpacker.ts';
export { diskProfiles } from './disk/disk-profiles.ts';
export type { DiskSpec } from './disk/disk.ts';
export { defaultKubeletOptions } from './kubelet/kubelet-options.ts';
export type { KubeletOptions } from './kubelet/kubelet-options.ts';
export type { UpstreamSpec } from './upstream/upstream-spec.ts';
export type { Fault, FaultKind } from './faults/fault.ts';
export { checkFaults } from './faults/check-faults.ts';
export { arbitraries } from './arbitraries/arbitraries.ts';
export type { Arbitraries, FastCheckModule, ScenarioShape } from './arbitraries/arbitraries.ts';
export type { DrawOptions } from './draw/draw-scenario.ts';
export { policies } from './policies/named.ts';
export type { PolicyName } from './policies/named.ts';
export { spegelLike } from './policies/spegel/spegel-like.ts';
export { mixed } from './policies/mixed.ts';
export type { MirrorPlace, NodeMirror, Policy, PolicyInWorld } from './policies/policy.ts';
export { parsePullTrace, TraceError } from './traces/parse-pull-trace.ts';
export { formatPullTrace, pullLines, traceHead } from './traces/pull-trace.ts';
export type { PullTrace, TracedLayer, TracedPull } from './traces/pull-trace.ts';
export { PullRecorder } from './traces/pull-recorder.ts';
export type { PullRecorderOptions, RuntimeEvent } from './traces/pull-recorder.ts';
export { workloadOfTrace } from './traces/trace-workload.ts';
export type { TraceWorkload } from './traces/trace-workload.ts';
export { Gaps } from './run/gaps.ts';
export type { World } from './run/world.ts';
export { drawScenario } from './draw/draw-scenario.ts';
export { hunt } from './hunt/hunt.ts';
export type { Found, HuntOptions, HuntResult } from './hunt/hunt.ts';
export { huntedScenario } from './hunt/try-seed.ts';
export { heal, healCore } from './hunt/heal-core.ts';
export { slowedDown, withHonestHolder, withPermutedNodes } from './hunt/relations.ts';
export { huntInThreads } from './fleet/hunt-in-threads.ts';
export type { HuntInThreadsOptions, HuntInThreadsResult, HuntProgress, KeptFind } from './fleet/campaign.ts';
export { missingIn } from './probes/probe-counts.ts';
export type { ProbeReport } from './probes/probe-counts.ts';
export { formatCase, parseCase } from './cases/saved-case.ts';
export type { SavedCase } from './cases/saved-case.ts';
export { shrinkScenario } from './hunt/shrink-scenario.ts';
export type { Shows } from './hunt/shrink-scenario.ts';
export { oracles } from './oracles/all.ts';
export type { EventHandlers, Oracle, OracleContext, OracleFactory, Violation } from './oracles/oracle.ts';
export type { Seen, SeenExchange, SeenPull } from './oracles/seen.ts';
export type { SimEvent } from './run/trace.ts';
export { checkDeterminism } from './check/check-determinism.ts';
export type {
  CheckedEvent,
  CheckedRun,
  CheckOptions,
  CheckReport,
  Divergence,
  KernelEvent,
} from './check/check-determinism.ts';
export { formatCheck } from './check/format-check.ts';
export { recordTrace } from './run/record-trace.ts';
export type { RecordOptions, TraceEvent, TraceRecording } from './run/record-trace.ts';
export { formatTraceJson, formatTraceText } from './run/trace-lines.ts';
export { formatReplay, parseReplay, ReplayError } from './replay/replay-text.ts';
export type { NamedScenarios, Replay } from './replay/replay-text.ts';
export { runReplay } from './replay/run-replay.ts';
export type { ReplayOptions, ReplayResult } from './replay/run-replay.ts';
export { league } from './league/league.ts';
export type { Against, LeagueRow, Regret } from './league/league.ts';
export { runLeague } from './league/run-league.ts';
export type { LeagueOutcome, RunLeagueOptions } from './league/run-league.ts';
export { explainLeague, formatLeague, leagueTable } from './league/league-table.ts';
export type { LeagueTable } from './league/league-table.ts';
export type { Estimate } from './league/statistics.ts';
export type { MirrorRequests, Traffic } from './run/traffic.ts';
export { benchNames, judgeRow } from './bench/bench-row.ts';
export type { BenchHost, BenchName, BenchRow, BenchUnit, BenchVerdict } from './bench/bench-row.ts';
export { runSimBench } from './bench/run-sim-bench.ts';
export type { SimBenchOptions } from './bench/run-sim-bench.ts';
