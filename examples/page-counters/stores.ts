/** What is kept: projects, and how often each was looked at. */
import { counter, defineStores, record } from 'forebay';
import { Project } from '../platform/generated/models.js';

const projects = record({ model: Project, counters: ['views'] });

export const stores = defineStores({
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
});
