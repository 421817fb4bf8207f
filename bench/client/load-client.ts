import process from 'node:process';
import { runJob } from './jobs.ts';
import type { Job } from './jobs.ts';

// The process that makes load: what it costs is nobody's figure. Jobs come over the channel to its parent, one at a time.
process.on('message', (job: Job) => {
  runJob(job).then(
    (exchanges) => process.send?.({ exchanges }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => {
  process.exit(0);
});
