interface DriverRow {
  /** Laws that this testbed alone can prove. */
  readonly folder?: string;
  readonly needsCapsule?: true;
  /** Where no driver is asked for: of the laws that run on any testbed only those with this need. The others run on cheaper ones. */
  readonly onlyNeed?: string;
}

/** Testbeds that the laws of every driver run on. */
export const drivers: Readonly<Record<'process' | 'netns' | 'docker' | 'kind', DriverRow>> = {
  process: { folder: 'e2e/loopback/' },
  netns: { folder: 'e2e/containerd/', needsCapsule: true },
  docker: { folder: 'e2e/docker/', onlyNeed: 'black-hole' },
  kind: { folder: 'e2e/deploy/', onlyNeed: 'pods' },
};
export type Driver = keyof typeof drivers;

export function driverOf(text: string): Driver {
  const driver = (Object.keys(drivers) as Driver[]).find((name) => name === text);
  if (driver === undefined) throw new TypeError(`there is no testbed "${text}": ${Object.keys(drivers).join(', ')}`);
  return driver;
}

/** Laws that run on any testbed: the file is run once for each. */
const lawsFile = 'e2e/laws/laws.test.ts';
/** They open capsules of their own. */
const capsuleLaws = 'e2e/testbed/';

export interface PlannedRun {
  readonly file: string;
  /** Of the laws that run on any. */
  readonly driver?: Driver;
  /** Only laws with this need. */
  readonly onlyNeed?: string;
  /** Interfaces and mounts are made: namespaces that end with the file. */
  readonly needsCapsule: boolean;
  /** The testbed whose parts it needs, if any. */
  readonly needs?: Driver;
}

/** What is run, in turn: ports, processes and the disk are shared. With a driver, only what is of it; nothing of those in `without`. */
export function planRuns(
  files: readonly string[],
  driver?: Driver,
  without: readonly Driver[] = [],
): readonly PlannedRun[] {
  const isWithout = (each: Driver | undefined): boolean => each !== undefined && without.includes(each);
  const runs = [...files].sort().flatMap((file): PlannedRun[] => {
    if (file === lawsFile) {
      const on = driver === undefined ? (Object.keys(drivers) as Driver[]) : [driver];
      return on.map((each) => runOf(file, each, driver === undefined ? drivers[each].onlyNeed : undefined));
    }
    const owner = (Object.keys(drivers) as Driver[]).find((each) => isUnder(file, drivers[each].folder));
    if (driver !== undefined && owner !== driver) return [];
    if (owner !== undefined) return [{ file, needsCapsule: drivers[owner].needsCapsule === true, needs: owner }];
    return [{ file, needsCapsule: false, ...(file.startsWith(capsuleLaws) ? { needs: 'netns' as const } : {}) }];
  });
  return runs.filter((run) => !isWithout(run.driver) && !isWithout(run.needs));
}

function isUnder(file: string, folder: string | undefined): boolean {
  return folder !== undefined && file.startsWith(folder);
}

function runOf(file: string, driver: Driver, onlyNeed: string | undefined): PlannedRun {
  const { needsCapsule = false } = drivers[driver];
  return { file, driver, needsCapsule, needs: driver, ...(onlyNeed === undefined ? {} : { onlyNeed }) };
}
