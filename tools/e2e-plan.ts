/** Testbeds that the laws of every driver run on, and the folder of laws that only one of them can prove. */
export const drivers = {
  process: { folder: 'e2e/loopback/', needsCapsule: false },
  netns: { folder: 'e2e/containerd/', needsCapsule: true },
} as const;
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
  /** Interfaces and mounts are made: namespaces that end with the file. */
  readonly needsCapsule: boolean;
  /** The testbed whose parts it needs, if any. */
  readonly needs?: Driver;
}

/** What is run, in turn: ports, processes and the disk are shared. With a driver, only what is of it. */
export function planRuns(files: readonly string[], driver?: Driver): readonly PlannedRun[] {
  return [...files].sort().flatMap((file): PlannedRun[] => {
    if (file === lawsFile) {
      const on = driver === undefined ? (Object.keys(drivers) as Driver[]) : [driver];
      return on.map((each) => ({ file, driver: each, needsCapsule: drivers[each].needsCapsule, needs: each }));
    }
    const owner = (Object.keys(drivers) as Driver[]).find((each) => file.startsWith(drivers[each].folder));
    if (driver !== undefined && owner !== driver) return [];
    if (owner !== undefined) return [{ file, needsCapsule: drivers[owner].needsCapsule, needs: owner }];
    return [{ file, needsCapsule: false, ...(file.startsWith(capsuleLaws) ? { needs: 'netns' as const } : {}) }];
  });
}
