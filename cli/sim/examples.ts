/** What stands below the options in the help of each command. */
export const examples = {
  sim: `
Examples:
  peili sim list                                         what there is to run
  peili sim run cold-start --nodes 20                    a new image on twenty nodes at once
  peili sim list second-wave > mine.yaml                 a scenario to begin your own with
  peili sim run mine.yaml --seeds 10 --report out.html
  peili sim hunt --budget 10m                            scenarios by chance, every law watched`,
  run: `
Examples:
  peili sim run second-wave
  peili sim run cold-start --nodes 50 --policy peili,noMirror --seeds 5
  peili sim run mine.yaml --set cluster.up=1Gbit/s --set 'faults[0].at=10s' --report out.html
Exit code 0: all was as expected; 1: a law of the mirror or an expectation of the
scenario was broken; 2: wrong use; 130: stopped, and what was known by then printed`,
  check: `
Examples:
  peili sim check second-wave
  peili sim check mine.yaml --policy peili --seed 7`,
  hunt: `
Examples:
  peili sim hunt --budget 10m --workers 2 --save found
  peili sim hunt --budget 1h --shard 2/8 --json      the second of eight machines
Of seeds that break the same law the two that fail soonest are made small, after
the budget.
Exit code 0: no law was broken; 1: one was, or 10,000 seeds or more never saw
something that they have to; 130: stopped, and what was known by then printed`,
  replay: `
Examples:
  peili sim replay 'peili-sim:1:second-wave:7:peili'
  peili sim replay found.txt --last 200
  peili sim replay 'peili-sim:1:second-wave:7:peili' --yaml > mine.yaml`,
  mutations: `
Examples:
  peili sim mutations
  peili sim mutations --only M3,M12 --workers 2`,
  record: `
Examples:
  peili sim record --output node-a.jsonl --for 1h
  peili sim record --output node-a.jsonl --containerd-sock /run/k3s/containerd/containerd.sock
  peili sim run node-a.jsonl                          the same pulls, simulated
Ctrl-C ends it; each pull is in the file as soon as it has ended.`,
  bench: `
Examples:
  peili sim bench
  peili sim bench --only cold-start-10000 --json`,
  list: `
Examples:
  peili sim list
  peili sim list cold-start > mine.yaml`,
};
