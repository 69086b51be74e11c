/** What a worker process tells of itself by HTTP, where its configuration says so. */
import type { Config } from '../../config.js';
import type { Emit } from '../../events.js';
import type { Metrics } from '../../metrics.js';
import { HealthServer } from '../../vitals/health-server.js';
import type { Answer } from '../../vitals/http-server.js';
import type { Service } from './service.js';

export interface ProcessHealthOptions {
  /** Of the role. */
  readonly name: string;
  readonly service: Service;
  readonly config: Pick<Config, 'health'>;
  readonly emit: Emit;
}

const notStarted: Answer = { status: 503, type: 'text/plain; charset=utf-8', body: 'not started yet\n' };

export class ProcessHealth {
  readonly #options: ProcessHealthOptions;
  #server: HealthServer | undefined;
  #metrics: Metrics | undefined;

  constructor(options: ProcessHealthOptions) {
    this.#options = options;
  }

  /** Where it answers; undefined: nowhere. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /** Before the service is started: it can be asked what that waits for. */
  async start(): Promise<void> {
    const { name, service, config, emit } = this.#options;
    if (config.health === undefined || service.health === undefined) return;
    const pages = { '/metrics': () => this.#answer() };
    this.#server = new HealthServer({ name, place: config.health, health: service.health, pages, emit });
    await this.#server.start();
  }

  /** To be called once the service is started. prom-client is loaded only where it is asked. */
  async measure(): Promise<void> {
    if (this.#server === undefined) return;
    const { metricsOf } = await import('../../metrics.js');
    this.#metrics = metricsOf(this.#options.service, { ofProcess: true });
    this.#metrics.registry.setDefaultLabels({ role: this.#options.name });
  }

  async stop(): Promise<void> {
    this.#metrics?.stop();
    await this.#server?.stop();
  }

  async #answer(): Promise<Answer> {
    if (this.#metrics === undefined) return notStarted;
    return { status: 200, type: this.#metrics.contentType, body: await this.#metrics.text() };
  }
}
