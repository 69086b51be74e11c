// The worker processes, for `npx forebay deploy` (the first time `pm2 start ecosystem.config.js` does too) after `npm run build`.
const worker = {
  // Fork mode: a worker serves no port, and Redis holds the work while one restarts.
  exec_mode: 'fork',
  // "Started" means that the worker has said so: it has reached Redis and Postgres.
  wait_ready: true,
  listen_timeout: 20_000,
  // A worker finishes the batch in hand before it leaves, within 8 s.
  kill_timeout: 10_000,
  exp_backoff_restart_delay: 100,
  time: false,
};

// They need a Postgres that is set up for them: see docs/changes.md. With two, one stands by.
const changeWorkers = Number(process.env.CHANGES_INSTANCES ?? 0);

export const apps = [
  {
    ...worker,
    name: 'write-behind',
    script: './dist/workers/write-behind.js',
    instances: Number(process.env.WRITE_BEHIND_INSTANCES ?? 2),
    max_memory_restart: '512M',
  },
  {
    ...worker,
    name: 'refresh',
    script: './dist/workers/refresh.js',
    instances: Number(process.env.REFRESH_INSTANCES ?? 1),
    max_memory_restart: '512M',
  },
  { ...worker, name: 'warm', script: './dist/workers/warm.js', instances: 1, max_memory_restart: '512M' },
  { ...worker, name: 'scheduler', script: './dist/workers/scheduler.js', instances: 1 },
  // pm2 takes 0 for as many as there are processors.
  ...(changeWorkers > 0
    ? [{ ...worker, name: 'changes', script: './dist/workers/changes.js', instances: changeWorkers }]
    : []),
  // In cluster mode the old board and the new one share its port, so that a deploy can start one beside the other.
  { ...worker, exec_mode: 'cluster', name: 'board', script: './dist/workers/board.js', instances: 1 },
];
