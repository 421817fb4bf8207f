import { alertsHaveRunbooks, chartHasTheVersion, monitoredMetricsExist, valuesDescribed } from './deployed.ts';
import {
  errorsDocumented,
  flagsDocumented,
  flagsUnderTheirCommand,
  limitsDocumented,
  metricsDocumented,
} from './documented.ts';
import { importTable } from './imports.ts';
import { folders } from './layout.ts';
import { noAmbientWorld, noModuleState } from './purity.ts';
import { hardBounds, sizes } from './sizes.ts';
import type { Rule } from './source.ts';
import { fileNames, noDefaultExports, noLooseEnds, noMachine } from './words.ts';

/** The repository's rules, by the sentence that each of them keeps true. */
export const rules: Readonly<Record<string, Rule>> = {
  'imports follow the table and go through doors': importTable,
  'files and functions stay readable': sizes(hardBounds),
  'pure folders see no time, chance or I/O': noAmbientWorld,
  'pure folders hold no state in modules': noModuleState,
  'file names say what they hold': fileNames,
  'nothing is exported as default': noDefaultExports,
  'no loose ends': noLooseEnds,
  'no machine and no package registry by name': noMachine,
  'every folder of code has its door and its README': folders,
  'every flag is documented and read': flagsDocumented,
  'every command has its own flags documented': flagsUnderTheirCommand,
  'every error code is documented and raised': errorsDocumented,
  'every limit is explained, documented and used': limitsDocumented,
  'every metric is documented': metricsDocumented,
  'every alert has its runbook': alertsHaveRunbooks,
  'what is monitored exists': monitoredMetricsExist,
  "the chart's values, schema and templates agree": valuesDescribed,
  'the chart has the version of the package': chartHasTheVersion,
};
