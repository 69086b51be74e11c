/** What is kept: who is there, and what is written. */
import { defineStores, record } from 'forebay';
import { Project, Task, User } from '../platform/generated/models.js';

export const stores = defineStores({
  users: record({ model: User }),
  projects: record({ model: Project }),
  tasks: record({ model: Task, counters: ['touches'] }),
});
